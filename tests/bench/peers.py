"""Peers to measure against: a bare moto server and MiniStack, in a virtual environment of the benchmark's own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench"
PACKAGES = ["moto[server,cloudformation,awslambda,events,s3,iam,guardduty,config,cloudtrail,logs]==5.2.5", "ministack"]


def python() -> Path:
    """Return the interpreter that has the peers, installing them at the first call."""
    program = FOLDER / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (FOLDER / "ready").exists():
        print("installing moto server and MiniStack for the comparison ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        subprocess.run(
            [str(program), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True
        )
        (FOLDER / "ready").touch()
    return program


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Return whether anything answers at `url`."""
    try:
        urllib.request.urlopen(url, timeout=1).read()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def moto() -> Iterator[str]:
    """Run a bare moto server; give its endpoint once it answers."""
    port = free_port()
    with _server([str(python()), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port, "/moto-api/data.json"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def ministack() -> Iterator[str]:
    """Run MiniStack with its recording on; give its endpoint once it answers."""
    port = free_port()
    program = python().with_name("ministack")
    with _server([str(program)], port, "/_ministack/health", GATEWAY_PORT=str(port), CLOUDTRAIL_RECORDING="1"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _server(command: list[str], port: int, path: str, **environ: str) -> Iterator[None]:
    env = {**os.environ, "GATEWAY_LISTEN": f"127.0.0.1:{port}", **environ}
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    end = time.monotonic() + 90
    try:
        while not answers(f"http://127.0.0.1:{port}{path}"):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command[-1]} did not start")
            time.sleep(0.01)
        yield
    finally:
        process.terminate()
        process.wait(20)


def client(service: str, endpoint: str, key: str = "test", secret: str = "test", token: str | None = None) -> Any:
    """Return a boto3 client of an endpoint."""
    import boto3
    from botocore.config import Config

    config = Config(proxies={}, retries={"total_max_attempts": 1}, parameter_validation=False)
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
        aws_session_token=token, config=config,
    )  # fmt: skip
