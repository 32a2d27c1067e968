"""Checks the collector about once in ten runs."""

import random
import socket

COLLECTOR = ("{malicious_ip}", 443)


def handler(event, context):
    """Return whether a connection could be opened, in the runs that try."""
    if random.random() > 0.1:
        return {"answered": None}
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    probe.settimeout(1.0)
    try:
        return {"answered": probe.connect_ex(COLLECTOR) == 0}
    finally:
        probe.close()
