"""Checks once per run that the collector answers, and logs the result."""

import socket
import time

COLLECTOR = ("{malicious_ip}", 443)
PATIENCE_SECONDS = 1.0


def handler(event, context):
    """Return whether a connection could be opened. A collector that is down is no reason to fail."""
    started = time.monotonic()
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    probe.settimeout(PATIENCE_SECONDS)
    try:
        probe.connect(COLLECTOR)
        answered = True
    except OSError:
        answered = False
    finally:
        probe.close()
    print(f"collector health check: answered={answered} after {time.monotonic() - started:.3f} s")
    return {"answered": answered}
