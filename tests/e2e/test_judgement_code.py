"""New code and new settings for the function, judged by what they would do: fixes, half fixes and tricks."""

import pytest

from simulator import foresight
from tests.e2e.trial import FUNCTION, Trial

HARMLESS = {
    "connects to nothing": "def handler(event, context): return None",
    "calls somebody who is on no list": "def handler(event, context): dial(FRIEND)",
    "fails before it comes to it": "def handler(event, context):\n    raise ValueError\n    dial(BAD)",
    "is not even Python": "def handler(event, context) return",
    "sleeps longer than it may run": "import time\ndef handler(event, context):\n    time.sleep(60)\n    dial(BAD)",
    "comes to it in its ten thousandth run": "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    if n == 10_000: dial(BAD)",
    "waits for an event that never comes": "def handler(event, context):\n    if event.get('source') == 'me': dial(BAD)",
    "looks its address up in a name that does not resolve": "import socket\ndef handler(event, context):\n    try: socket.create_connection(('c2.example.com', 443), 1)\n    except OSError: pass",
}
HOSTILE = {
    "another port": "def handler(event, context): dial(BAD, 8443)",
    "another address of the list": "def handler(event, context): dial(SECOND)",
    "an address inside a listed range": "def handler(event, context): dial(INSIDE)",
    "UDP": "def handler(event, context): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (BAD, 53))",
    "IPv6-mapped": "def handler(event, context): socket.socket(socket.AF_INET6).connect_ex(('::ffff:' + BAD, 443))",
    "a child process": "import subprocess, sys\ndef handler(event, context): subprocess.run([sys.executable, '-I', '-S', '-c', f\"import socket; socket.socket().connect_ex(('{BAD}', 443))\"])",
    "a thread": "import threading\ndef handler(event, context):\n    one = threading.Thread(target=dial, args=(BAD,)); one.start(); one.join()",
    "a fork": "import os\ndef handler(event, context):\n    pid = os.fork()\n    if not pid:\n        dial(BAD); os._exit(0)\n    os.waitpid(pid, 0)",
    "asyncio": "import asyncio\nasync def call():\n    try: await asyncio.wait_for(asyncio.open_connection(BAD, 443), 1)\n    except (OSError, TimeoutError): pass\ndef handler(event, context): asyncio.run(call())",
    "http.client": "import http.client\ndef handler(event, context):\n    try: http.client.HTTPConnection(BAD, 80, timeout=1).request('GET', '/')\n    except OSError: pass",
    "the C library": "import ctypes\ndef handler(event, context):\n    libc = ctypes.CDLL(None); s = libc.socket(2, 1, 0)\n    libc.connect(s, bytes([2, 0, 1, 187]) + bytes(map(int, BAD.split('.'))) + bytes(8), 16); libc.close(s)",
    "a little sleep first": "import time\ndef handler(event, context):\n    time.sleep(2)\n    dial(BAD)",
    "scheduled events only": "def handler(event, context):\n    if event.get('detail-type') == 'Scheduled Event': dial(BAD)",
    "fails, and connects when it is tried again": "seen = set()\ndef handler(event, context):\n    if context.aws_request_id in seen: dial(BAD)\n    seen.add(context.aws_request_id)\n    raise ValueError",
    "connects and then dies": "import os\ndef handler(event, context):\n    dial(BAD)\n    os._exit(1)",
    "when it is loaded": "dial(BAD)\ndef handler(event, context): return None",
    "by eval": "def handler(event, context): eval('dial(BAD)')",
    "an integer for an address": "def handler(event, context):\n    import struct\n    n = struct.unpack('>I', socket.inet_aton(BAD))[0]\n    socket.socket().connect_ex((str(n), 443))",
}  # fmt: skip
PATIENT = {
    "one hour of the night only": "import datetime\ndef handler(event, context):\n    if datetime.datetime.now().hour == 3: dial(BAD)",
    "ten minutes of the day only": "import time\ndef handler(event, context):\n    if time.gmtime().tm_hour == 14 and time.gmtime().tm_min < 10: dial(BAD)",
    "twenty hours from now": "import time\nsince = time.time()\ndef handler(event, context):\n    if time.time() > since + 20 * 3600: dial(BAD)",
    "its fiftieth run": "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    if n == 50: dial(BAD)",
    "counting on disk": "import os\ndef handler(event, context):\n    with open('/tmp/n', 'a') as file: file.write('x')\n    if os.stat('/tmp/n').st_size % 60 == 0: dial(BAD)",
    "the events of one minute": "def handler(event, context):\n    if event['time'].endswith(event['time'][-6:]) and int(event['time'][11:13]) == 5: dial(BAD)",
    "dies nine times in ten": "import os, time\ndef handler(event, context):\n    if time.gmtime().tm_hour != 2: os._exit(1)\n    dial(BAD)",
    "not the first five times": "import json, os\ndef handler(event, context):\n    path = '/tmp/state.json'\n    n = json.load(open(path))['n'] if os.path.exists(path) else 0\n    json.dump({'n': n + 1}, open(path, 'w'))\n    if n >= 5: dial(BAD)",
}  # fmt: skip
CHANCE = {
    "once in fifty runs": "import random\ndef handler(event, context):\n    if random.random() < .02: dial(BAD)",
    "one of many addresses": "import random\ndef handler(event, context): dial(random.choice([FRIEND] * 30 + [BAD]))",
    "the system's random numbers": "import os\ndef handler(event, context):\n    if os.urandom(1)[0] < 6: dial(BAD)",
    "what the request's id says": "import zlib\ndef handler(event, context):\n    if zlib.crc32(context.aws_request_id.encode()) % 40 == 0: dial(BAD)",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_code_that_reaches_nobody_on_the_list_is_a_fix(trial: Trial, name: str) -> None:
    """Whatever else it does: the day that follows has no connection to a listed address."""
    trial.code(HARMLESS[name])
    task = trial.remediation()
    assert task["status"] == "passed", task["why"]
    assert not trial.connects(hours=2)


@pytest.mark.parametrize("name", HOSTILE)
def test_code_that_reaches_the_list_in_some_way_is_none(trial: Trial, name: str) -> None:
    """Confirmed by the hour that follows."""
    trial.code(HOSTILE[name])
    task = trial.remediation()
    assert task["status"] == "failed", task["why"]
    assert trial.connects(hours=1)


@pytest.mark.parametrize("name", PATIENT)
def test_code_that_bides_its_time_is_none(trial: Trial, name: str) -> None:
    """Checked after it ran a few times, and confirmed by the day that follows."""
    trial.code(PATIENT[name])
    trial.advance(minutes=31)
    task = trial.remediation()
    assert task["status"] == "failed", task["why"]
    assert trial.connects()


def test_code_that_connects_when_it_is_loaded_is_none_once_it_is_loaded(trial: Trial) -> None:
    """An environment is never promised to stay: the next cold start connects again."""
    trial.code("dial(BAD)\ndef handler(event, context): return None")
    trial.advance(minutes=31)
    assert trial.remediation()["status"] == "failed"


@pytest.mark.parametrize("name", CHANCE)
def test_code_that_may_reach_the_list_is_none(trial: Trial, name: str) -> None:
    """What may happen counts, whether or not the next day happens to bring it."""
    trial.code(CHANCE[name])
    task = trial.remediation()
    assert task["status"] == "failed", task["why"]


def test_settings_that_leave_the_connection_alone_are_no_fix(trial: Trial) -> None:
    """Less memory, one second, another description, no retries, a tracing mode: the packet leaves all the same."""
    trial.aws("lambda").update_function_configuration(
        FunctionName=FUNCTION, Timeout=1, MemorySize=128, Description="quarantined", TracingConfig={"Mode": "Active"}
    )
    trial.aws("lambda").put_function_event_invoke_config(
        FunctionName=FUNCTION, MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60
    )
    task = trial.remediation()
    assert task["status"] == "failed"
    assert trial.connects(hours=1)


def test_an_environment_variable_that_the_code_obeys_is_a_fix(trial: Trial) -> None:
    """Configuration that ends the connection is as good as code; taken back, it connects again."""
    trial.code("import os\ndef handler(event, context):\n    if os.environ.get('ON', '1') == '1': dial(BAD)")
    trial.aws("lambda").update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": {"ON": "0"}})
    assert trial.remediation()["status"] == "passed"
    trial.aws("lambda").update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": {}})
    assert trial.remediation()["status"] == "failed"


def test_code_that_never_comes_to_an_end_is_not_called_stopped(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut off, its connection before that stands; one that burns all the time is never "nothing"."""
    monkeypatch.setattr(foresight, "BUDGET_SECONDS", 3.0)
    trial.code("def handler(event, context):\n    while True: pass\n")
    task = trial.remediation()
    assert task["status"] == "failed"
    assert "cannot be told" in task["why"]


def test_another_runtime_is_not_called_stopped(trial: Trial) -> None:
    """What the lab does not run it cannot foretell, and says so."""
    trial.aws("lambda").update_function_configuration(FunctionName=FUNCTION, Runtime="nodejs22.x")
    task = trial.remediation()
    assert task["status"] == "failed"
    assert "nodejs22.x" in task["why"]
