"""The walls around function code, tried by code that means harm, in real processes.

Every handler here runs for real. A real listener on loopback proves that nothing gets out; the simulator's process
proves to be unharmed by running the next function right after.
"""

import datetime
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from simulator.functions import Environments, FunctionSpec, Invocation, Outcome
from simulator.functions.host import has_kernel_walls

pytestmark = pytest.mark.skipif(not has_kernel_walls(), reason="these walls are Linux's")

ADDRESS = "198.51.100.7"
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)


def package(code: str) -> bytes:
    """Return a deployment package whose only module is `code`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    return packed.getvalue()


def spec(code: str, **changed: object) -> FunctionSpec:
    """Return a function with `code`, three seconds and 128 MB."""
    values: dict[str, object] = {
        "key": "lab/function",
        "code_zip": package(code),
        "code_sha256": str(hash(code)),
        "runtime": "python3.12",
        "handler": "app.handler",
        "timeout_s": 3,
        "memory_mb": 128,
        "environment": {"COLOUR": "green"},
        "function_name": "traffic-simulation",
        "function_arn": "arn:aws:lambda:us-east-1:123456789012:function:traffic-simulation",
        "version": "$LATEST",
        "log_group": "/aws/lambda/traffic-simulation",
        "region": "us-east-1",
        "account_id": "123456789012",
    }
    return FunctionSpec(**{**values, **changed})  # type: ignore[arg-type]


def invocation(event: object = None, minutes: int = 0) -> Invocation:
    """Return an invocation `minutes` after noon."""
    return Invocation(
        request_id=f"request-{minutes}",
        payload=json.dumps(event).encode(),
        now=NOON + datetime.timedelta(minutes=minutes),
    )


@dataclass
class Sink:
    """Listens on loopback for TCP and UDP, IPv4 and IPv6, on one port; `arrived` is all that came."""

    port: int
    arrived: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """A listener that nothing may reach."""
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    found = Sink(port)
    tcp6 = socket.create_server(("::1", port), family=socket.AF_INET6)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    stop = threading.Event()

    def listen(listener: socket.socket, name: str) -> None:
        listener.settimeout(0.05)
        while not stop.is_set():
            try:
                if name == "udp":
                    listener.recvfrom(100)
                else:
                    listener.accept()[0].close()
            except TimeoutError:
                continue
            found.arrived.append(name)

    threads = [threading.Thread(target=listen, args=each) for each in ((tcp, "tcp"), (tcp6, "tcp6"), (udp, "udp"))]
    for thread in threads:
        thread.start()
    yield found
    stop.set()
    for thread in threads:
        thread.join()
    for listener in (tcp, tcp6, udp):
        listener.close()


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    """One pool for all tests of this module: each must leave it usable for the next."""
    pool = Environments(folder=tmp_path_factory.mktemp("functions"))
    yield pool
    pool.close()


def run(environments: Environments, code: str, event: object = None, **changed: object) -> Outcome:
    """Run `code` once in a new process."""
    environments.forget("lab/function")
    return environments.run(spec(code, **changed), invocation(event))


def attempts(outcome: Outcome) -> set[tuple[str, int, str]]:
    """Return the addresses that a run tried to reach."""
    return {(each.ip, each.port, each.protocol) for each in outcome.connections}


CONNECTS = {
    "a plain socket": """
import socket
def handler(event, context):
    s = socket.socket()
    try: s.connect((event["ip"], event["port"]))
    except OSError as failed: return failed.errno
""",
    "a socket that does not block": """
import select, socket
def handler(event, context):
    s = socket.socket(); s.setblocking(False)
    return s.connect_ex((event["ip"], event["port"]))
""",
    "asyncio": """
import asyncio
def handler(event, context):
    try: asyncio.run(asyncio.open_connection(event["ip"], event["port"]))
    except OSError as failed: return failed.errno
""",
    "the C library": """
import ctypes, socket, struct
def handler(event, context):
    libc = ctypes.CDLL(None, use_errno=True)
    s = libc.socket(2, 1, 0)
    address = struct.pack("=H", 2) + struct.pack(">H", event["port"]) + socket.inet_aton(event["ip"]) + bytes(8)
    libc.connect(s, address, 16)
    return ctypes.get_errno()
""",
    "a raw system call": """
import ctypes, os, socket, struct
def handler(event, context):
    libc = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 42, "aarch64": 203}[os.uname().machine]
    address = struct.pack("=H", 2) + struct.pack(">H", event["port"]) + socket.inet_aton(event["ip"]) + bytes(8)
    s = socket.socket()
    libc.syscall(number, s.fileno(), address, 16)
    return ctypes.get_errno()
""",
    "another Python": """
import subprocess, sys
def handler(event, context):
    code = f"import socket; print(socket.socket().connect_ex(({event['ip']!r}, {event['port']})))"
    return int(subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True).stdout)
""",
    "fork_exec without subprocess": """
import os, sys
def handler(event, context):
    code = f"import socket; socket.socket().connect_ex(({event['ip']!r}, {event['port']}))"
    pid = os.posix_spawn(sys.executable, [sys.executable, "-I", "-S", "-c", code], {})
    os.waitpid(pid, 0)
    return 110
""",
    "multiprocessing": """
import multiprocessing, socket
def dial(ip, port):
    raise SystemExit(socket.socket().connect_ex((ip, port)))
def handler(event, context):
    process = multiprocessing.get_context("fork").Process(target=dial, args=(event["ip"], event["port"]))
    process.start(); process.join()
    return process.exitcode
""",
    "a thread": """
import socket, threading
def handler(event, context):
    found = []
    thread = threading.Thread(target=lambda: found.append(socket.socket().connect_ex((event["ip"], event["port"]))))
    thread.start(); thread.join()
    return found[0]
""",
    "an audit hook taken out": """
import gc, socket, sys
def handler(event, context):
    sys.addaudithook(lambda name, arguments: None)
    return socket.socket().connect_ex((event["ip"], event["port"]))
""",
    "fast open": """
import socket
def handler(event, context):
    s = socket.socket()
    try: s.sendto(b"x", 0x20000000, (event["ip"], event["port"]))
    except OSError as failed: return failed.errno
""",
    "an address that wraps IPv4": """
import socket
def handler(event, context):
    return socket.socket(socket.AF_INET6).connect_ex(("::ffff:" + event["ip"], event["port"]))
""",
}


@pytest.mark.parametrize("code", CONNECTS.values(), ids=CONNECTS)
def test_a_connection_is_recorded_and_goes_nowhere(environments: Environments, sink: Sink, code: str) -> None:
    """However it is made, a connection times out, is told with its address, and reaches nobody."""
    outcome = run(environments, code, {"ip": ADDRESS, "port": 443})
    assert (outcome.status, json.loads(outcome.payload)) == ("ok", 110), outcome
    assert attempts(outcome) == {(ADDRESS, 443, "TCP")}

    at_home = run(environments, code, {"ip": "127.0.0.1", "port": sink.port})
    assert attempts(at_home) == {("127.0.0.1", sink.port, "TCP")}
    assert sink.arrived == []


DATAGRAMS = {
    "sendto": "s.sendto(b'abc', peer)",
    "connect and send": "s.connect(peer); s.send(b'abc')",
    "sendmsg": "s.sendmsg([b'a', b'bc'], [], 0, peer)",
    "connect and sendmsg": "s.connect(peer); s.sendmsg([b'abc'])",
}


@pytest.mark.parametrize("code", DATAGRAMS.values(), ids=DATAGRAMS)
def test_a_datagram_is_recorded_and_swallowed(environments: Environments, sink: Sink, code: str) -> None:
    """The handler is told that its datagram was sent; it was not."""
    handler = "import socket\ndef handler(event, context):\n    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    handler += f"    peer = (event['ip'], event['port'])\n    {code}\n    return 'sent'\n"
    outcome = run(environments, handler, {"ip": ADDRESS, "port": 514})
    assert outcome.payload == b'"sent"', outcome
    assert attempts(outcome) == {(ADDRESS, 514, "UDP")}
    run(environments, handler, {"ip": "127.0.0.1", "port": sink.port})
    assert sink.arrived == []


def test_several_datagrams_in_one_call_are_all_recorded(environments: Environments) -> None:
    """sendmmsg names an address for each message."""
    code = """
import ctypes, socket, struct
class Vector(ctypes.Structure): _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]
class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("size", ctypes.c_uint), ("vectors", ctypes.POINTER(Vector)),
                ("count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_size", ctypes.c_size_t),
                ("flags", ctypes.c_int)]
class Message(ctypes.Structure): _fields_ = [("header", Header), ("length", ctypes.c_uint)]
def handler(event, context):
    libc = ctypes.CDLL(None, use_errno=True)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    messages = (Message * 2)()
    for place, ip in enumerate(event):
        name = struct.pack("=H", 2) + struct.pack(">H", 99) + socket.inet_aton(ip) + bytes(8)
        vector = Vector(b"abcd", 4)
        messages[place].header = Header(name, 16, ctypes.pointer(vector), 1, None, 0, 0)
    sent = libc.sendmmsg(s.fileno(), messages, 2, 0)
    return [sent, messages[0].length, messages[1].length]
"""
    outcome = run(environments, code, ["198.51.100.8", "203.0.113.9"])
    assert json.loads(outcome.payload) == [2, 4, 4], outcome
    assert attempts(outcome) == {("198.51.100.8", 99, "UDP"), ("203.0.113.9", 99, "UDP")}


def test_ipv6_is_recorded_as_text(environments: Environments, sink: Sink) -> None:
    """An IPv6 address is told in its short form, and loopback's is no way out either."""
    code = """
import socket
def handler(event, context):
    return socket.socket(socket.AF_INET6).connect_ex((event["ip"], event["port"]))
"""
    assert attempts(run(environments, code, {"ip": "2001:db8:0:0::7", "port": 443})) == {("2001:db8::7", 443, "TCP")}
    run(environments, code, {"ip": "::1", "port": sink.port})
    assert sink.arrived == []


def test_finding_out_ones_own_address_is_no_connection(environments: Environments) -> None:
    """Connecting a datagram socket sends nothing, so there is nothing to record."""
    code = """
import socket
def handler(event, context):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("198.51.100.7", 80))
    return "connected"
"""
    outcome = run(environments, code)
    assert (outcome.payload, outcome.connections) == (b'"connected"', ())


def test_a_name_does_not_resolve_and_costs_no_time(environments: Environments) -> None:
    """Questions to the machine's resolvers are refused at once and are no flow, as on AWS."""
    code = """
import socket
def handler(event, context):
    try: socket.getaddrinfo("malicious.example", 443)
    except socket.gaierror: return "no answer"
"""
    started = time.monotonic()
    outcome = run(environments, code)
    assert (outcome.payload, outcome.connections) == (b'"no answer"', ()), outcome
    assert time.monotonic() - started < 5


def test_https_and_urllib_are_recorded(environments: Environments) -> None:
    """Libraries on top of sockets meet the same wall."""
    code = """
import urllib.request
def handler(event, context):
    try: urllib.request.urlopen("https://198.51.100.7/beacon", timeout=2)
    except OSError as failed: return str(failed)
"""
    outcome = run(environments, code)
    assert attempts(outcome) == {(ADDRESS, 443, "TCP")}
    assert b"timed out" in outcome.payload


REFUSED = {
    "raw socket": "socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)",
    "ping socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)",
    "packet socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "Unix socket": "socket.socket(socket.AF_UNIX).connect(event['unix'])",
    "vsock": "socket.socket(40, socket.SOCK_STREAM).connect((2, 1024))",
    "multipath TCP": "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
    "listening": "socket.create_server(('127.0.0.1', 0))",
    "listening unbound": "socket.socket().listen()",
    "the parent's environment": "open(f'/proc/{os.getppid()}/environ').read()",
    "the parent's memory": "open(f'/proc/{os.getppid()}/mem', 'rb')",
    "the parent's folder": "os.listdir(os.readlink(f'/proc/{os.getppid()}/cwd'))",
    "the simulator's environment": "open(f'/proc/{event[\"pid\"]}/environ').read()",
    "the simulator's descriptors": "os.listdir(f'/proc/{event[\"pid\"]}/fd')",
    "killing the parent": "os.kill(os.getppid(), 9)",
    "killing the simulator": "os.kill(event['pid'], 0)",
    "a secret": "open(event['secret']).read()",
    "a secret's mode": "os.chmod(event['secret'], 0o777)",
    "a secret's length": "os.truncate(event['secret'], 0)",
    "a secret's times": "os.utime(event['secret'])",
    "a secret's place": "os.rename(event['secret'], event['secret'] + 'x')",
    "a link to a secret": "os.symlink(event['secret'], '/tmp/s'); open('/tmp/s').read()",
    "a hard link to a secret": "os.link(event['secret'], '/tmp/h'); open('/tmp/h').read()",
    "writing outside": "open(event['outside'], 'w')",
    "making a folder outside": "os.mkdir(event['outside'])",
    "writing one's code": "open('/var/task/app.py', 'w')",
    "the password file": "open('/etc/passwd').read()",
    "the home folder": "os.listdir(event['home'])",
    "changing one's filter": "check(libc.prctl(22, 2, 0, 0, 0))",
    "hiding one's memory": "check(libc.prctl(4, 0, 0, 0, 0))",
    "tracing": "check(libc.ptrace(16, os.getppid(), 0, 0))",
    "a new user namespace": "check(libc.unshare(0x10000000))",
    "shared memory": "check(libc.shmget(0, 4096, 0o1600))",
    "another process's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "a ring": "check(libc.syscall(425, 8, bytes(120)))",
    "a descriptor of the parent": "check(libc.syscall(438, os.pidfd_open(os.getppid()), 0, 0))",
    "the parent's memory by call": "check(libc.syscall(310, os.getppid(), bytes(16), 1, bytes(16), 1, 0))",
    "a bigger limit": "resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40))",
    "becoming somebody": "os.setuid(12345)",
    "the 32-bit table": "check(libc.syscall(0x40000000 + 41, 2, 1, 0))",
}


@pytest.mark.parametrize("attempt", REFUSED.values(), ids=REFUSED)
def test_what_is_none_of_a_functions_business_is_refused(
    environments: Environments, tmp_path: Path, attempt: str
) -> None:
    """Other processes, other files, other sockets than the internet's: an error for the handler, nothing else."""
    secret = tmp_path / "control-token"
    secret.write_text("the token")
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        event = {
            "pid": os.getpid(),
            "secret": str(secret),
            "outside": str(tmp_path / "new"),
            "unix": path,
            "home": str(Path.home()),
        }
        code = f"""
import ctypes, os, resource, socket
libc = ctypes.CDLL(None, use_errno=True)
def check(answer):
    if answer < 0: raise OSError(ctypes.get_errno(), "refused")
def handler(event, context):
    try:
        {attempt}
    except (OSError, ValueError) as failed:
        return "refused"
    return "done"
"""
        outcome = run(environments, code, event)
    assert (outcome.status, outcome.payload) == ("ok", b'"refused"'), outcome
    assert secret.read_text() == "the token"
    assert secret.stat().st_mode & 0o777 == 0o644
    assert not (tmp_path / "new").exists()


def test_signals_to_everybody_reach_nobody_else(environments: Environments) -> None:
    """A function that kills every process there is ends neither its keeper, nor the simulator, nor another function."""
    other = spec("import os\ndef handler(event, context): return os.getpid()", key="lab/other")
    before = environments.run(other, invocation()).payload
    outcome = run(environments, "import os\ndef handler(event, context):\n    os.kill(-1, 9)\n    return 'alive'")
    assert outcome.status == "ok"
    assert environments.run(other, invocation()).payload == before


# --- limits ----------------------------------------------------------------------------------------------------------

ENDS = {
    "an endless loop": ("def handler(event, context):\n    while True: pass", "timeout"),
    "an endless loop in C": ("def handler(event, context):\n    return sum(iter(int, 1))", "timeout"),
    "an endless loop while loading": ("while True: pass", "timeout"),
    "a sleep past the timeout": ("import time\ndef handler(event, context): time.sleep(100)", "timeout"),
    "waiting for a lock": ("import _thread\ndef handler(e, c):\n    l = _thread.allocate_lock(); l.acquire(); l.acquire()", "timeout"),
    "waiting for a datagram": (
        "import socket\ndef handler(e, c): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).recv(1)",
        "timeout",
    ),
    "stopping oneself": ("import os, signal\ndef handler(e, c): os.kill(os.getpid(), signal.SIGSTOP)", "timeout"),
    "exit": ("import sys\ndef handler(event, context): sys.exit(1)", "exited"),
    "exit at once": ("import os\ndef handler(event, context): os._exit(3)", "exited"),
    "exit while loading": ("import os\nos._exit(3)", "exited"),
    "a crash": ("import ctypes\ndef handler(event, context): ctypes.string_at(1)", "exited"),
    "killing oneself": ("import os\ndef handler(event, context): os.kill(os.getpid(), 9)", "exited"),
    "a memory hog": ("def handler(event, context): return len(bytearray(10 ** 9))", "out-of-memory"),
    "a slow memory hog": (
        "def handler(event, context):\n    kept = []\n    while True: kept.append(b'x' * (1 << 20) + b'y')",
        "out-of-memory",
    ),
    "many processes that hog": (
        "import os\ndef handler(event, context):\n"
        "    for _ in range(20):\n        if os.fork() == 0:\n            kept = bytearray(60 << 20)\n            while True: pass\n"
        "    while True: pass",
        "out-of-memory",
    ),
    "recursion": ("def handler(event, context): return handler(event, context)", "error"),
    "recursion in C": (
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef handler(event, context): return handler(*[event, context])",
        "exited",
    ),
    "a fork bomb": ("import os\ndef handler(event, context):\n    while True: os.fork()", None),
    "a quiet fork bomb": (
        "import os\ndef handler(event, context):\n    while True:\n        try: os.fork()\n        except OSError: pass",
        "timeout",
    ),
    "a thread bomb": (
        "import threading, time, _thread\ndef handler(event, context):\n"
        "    while True: threading.Thread(target=_thread.allocate_lock().acquire).start()",
        None,
    ),
    "closing every descriptor": ("import os\ndef handler(event, context): os.closerange(0, 100)", "exited"),
    "100 MB of output": ("def handler(event, context):\n    for _ in range(1000): print('x' * 100_000)", "ok"),
    "filling the disk": (
        "import os\ndef handler(event, context):\n    for n in range(20):\n"
        "        with open(f'/tmp/{n}', 'wb') as file: os.posix_fallocate(file.fileno(), 0, 50 << 20)\n"
        "    while True: pass",
        "exited",
    ),
    "folders without end": (
        "import os\ndef handler(event, context):\n    os.chdir('/tmp')\n"
        "    for name in ['d'] * 600 + ['x' * 250] * 20: os.mkdir(name); os.chdir(name)\n    os.mkdir('e', 0)",
        "ok",
    ),
    "odd files": (
        "import os\ndef handler(event, context):\n    os.mkfifo('/tmp/pipe'); os.symlink('/', '/tmp/root')\n"
        "    open('/tmp/' + 'n' * 255, 'w').close(); open(b'/tmp/\\xff\\n', 'w').close()",
        "ok",
    ),
    "an event that is never read": (
        "import os, json, struct, sys\ndef handler(event, context):\n    frame = sys._getframe()\n"
        "    while 'id' not in (frame.f_locals.get('request') or {}): frame = frame.f_back\n"
        "    body = json.dumps({'kind': 'result', 'id': frame.f_locals['request']['id'], 'payload': 'null', 'error': None,"
        " 'elapsed_ms': 1, 'init_ms': None}).encode()\n    os.write(4, struct.pack('>I', len(body)) + body)\n"
        "    while True: pass",
        "ok",
    ),
    "a result that is too big": ("def handler(event, context): return 'x' * 7_000_000", "error"),
    "a result that is no JSON": ("def handler(event, context): return {1, 2}", "error"),
    "a result that refers to itself": ("def handler(event, context):\n    a = []; a.append(a); return a", "error"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "status"), ENDS.values(), ids=ENDS)
def test_a_function_that_does_not_behave_ends_and_the_next_run_works(
    environments: Environments, code: str, status: str | None
) -> None:
    """Each is over in seconds with Lambda's word for it, and leaves neither processes nor harm."""
    started = time.monotonic()
    outcome = run(environments, code)
    assert time.monotonic() - started < 30
    if status is not None:
        assert outcome.status == status, outcome
    assert outcome.max_memory_mb > 0
    assert len(outcome.log) < 2_000_000
    assert json.loads(outcome.payload) is None or outcome.status != "ok"
    if outcome.status == "ok":
        environments.rehearse(spec(code), [invocation("x" * 200_000)], samples=1, budget_s=1)
        environments.run(spec(code), invocation("x" * 200_000))
    good = environments.run(spec("def handler(event, context): return 'fine'"), invocation())
    assert good.payload == b'"fine"', good
    assert len(processes_of(environments)) == 2


def processes_of(environments: Environments) -> list[int]:
    """Return the descendants of this process that belong to the function `lab/function`: a keeper and its child."""
    keeper = environments._live["lab/function"]._launched
    assert keeper is not None
    found = [keeper.process.pid]
    for pid in found:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        found += [int(each) for each in children]
    return found


LEFTOVERS = """
import os, socket, threading, time
def dial():
    while True:
        try: socket.socket().connect(("203.0.113.77", 77))
        except OSError: pass
def handler(event, context):
    if event == "thread":
        threading.Thread(target=dial, daemon=True).start()
    elif event == "daemon":
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in range(3, 100):
                    try: os.close(number)
                    except OSError: pass
                dial()
            os._exit(0)
    return os.getpid()
"""


@pytest.mark.parametrize("kind", ["thread", "daemon"])
def test_what_is_left_running_is_frozen_between_runs(environments: Environments, kind: str) -> None:
    """As on Lambda, background work stands still after the answer, and dies with its environment."""
    environments.forget("lab/function")
    function = spec(LEFTOVERS)
    first = environments.run(function, invocation(kind))
    assert first.status == "ok"
    pids = processes_of(environments)
    time.sleep(0.1)
    states = {Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in pids[1:]}
    assert "T" in states and states <= {"T", "Z"}
    second = environments.run(function, invocation())
    assert second.payload == first.payload
    environments.forget("lab/function")
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_a_small_function_may_have_many_threads(environments: Environments) -> None:
    """What threads reserve for their stacks is not what they use."""
    code = """
import concurrent.futures, time
def handler(event, context):
    with concurrent.futures.ThreadPoolExecutor(40) as pool: return sum(pool.map(lambda n: time.sleep(0.1) or n, range(40)))
"""
    assert run(environments, code).payload == b"780"


def test_several_processes_share_what_they_have_in_common(environments: Environments) -> None:
    """Memory that forks share counts once, so a few workers fit into 128 MB."""
    code = """
import os, time
kept = b"x" * (40 << 20)
def handler(event, context):
    children = []
    for _ in range(6):
        pid = os.fork()
        if pid == 0:
            until = time.process_time() + 0.1
            while time.process_time() < until: pass
            os._exit(0)
        children.append(pid)
    return [os.waitpid(pid, 0)[1] for pid in children]
"""
    assert run(environments, code).payload == b"[0, 0, 0, 0, 0, 0]"


FORGERIES = {
    "rubbish": "os.write(4, os.urandom(1000))",
    "a huge length": "os.write(4, bytes([255] * 4)); time.sleep(0)",
    "no JSON": "os.write(4, bytes([0, 0, 0, 3]) + b'{{{')",
    "deep JSON": "os.write(4, struct.pack('>I', 50000) + b'[' * 50000)",
    "no object": "os.write(4, bytes([0, 0, 0, 2]) + b'[]')",
    "wrong types": "say({'kind': 'result', 'id': ident(), 'payload': 7, 'error': [], 'elapsed_ms': 'x', 'init_ms': {}})",
    "not a number": "say({'kind': 'result', 'id': ident(), 'payload': '1', 'error': None, 'elapsed_ms': float('nan')})",
    "another's answer": "say({'kind': 'result', 'id': 'x', 'payload': '1', 'error': None, 'elapsed_ms': 1, 'init_ms': 1})",
    "no connections": "say({'kind': 'outcome', 'id': ident(), 'connections': []})",
    "half a message": "os.write(4, b'\\0\\0')",
    "a closed pipe": "os.close(4)",
    "the commands read": "os.set_blocking(3, False); os.closerange(3, 4)",
    "the clock's page": "[m.write(b'\\xff' * 8) for m in gc.get_objects() if isinstance(m, mmap.mmap)]",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_the_keeper_believes_nothing_that_it_is_told_about_connections(
    environments: Environments, forgery: str
) -> None:
    """Whatever is said on the pipe to the keeper, the connection is recorded, and the next run works."""
    code = f"""
import gc, json, mmap, os, socket, struct, sys, time
def ident():
    frame = sys._getframe()
    while frame:
        if "id" in (frame.f_locals.get("request") or {{}}): return frame.f_locals["request"]["id"]
        frame = frame.f_back
def say(message):
    body = json.dumps(message).encode()
    os.write(4, struct.pack(">I", len(body)) + body)
def handler(event, context):
    if event is None: return "fine"
    socket.socket().connect_ex(("{ADDRESS}", 443))
    {forgery}
    return "done"
"""
    function = spec(code)
    environments.forget(function.key)
    started = time.monotonic()
    outcome = environments.run(function, invocation(1))
    assert time.monotonic() - started < 10
    assert attempts(outcome) == {(ADDRESS, 443, "TCP")}, outcome
    assert outcome.duration_ms <= 3000
    assert all(0 <= each.offset_ms <= 3000 for each in outcome.connections)
    json.loads(outcome.payload)
    again = environments.run(function, invocation())
    assert again.payload == b'"fine"', again


def test_a_forged_early_answer_hides_nothing(environments: Environments) -> None:
    """A handler may answer for itself, but what it does afterwards is told with the next run."""
    code = """
import json, os, socket, struct, sys
def handler(event, context):
    if event is None: return "fine"
    frame = sys._getframe()
    while "id" not in (frame.f_locals.get("request") or {}): frame = frame.f_back
    message = {"kind": "result", "id": frame.f_locals["request"]["id"], "payload": "1", "error": None,
               "elapsed_ms": 1, "init_ms": None}
    body = json.dumps(message).encode()
    os.write(4, struct.pack(">I", len(body)) + body)
    import time as clock
    for _ in range(3_000_000): pass
    socket.socket().connect_ex(("198.51.100.7", 443))
    return "done"
"""
    function = spec(code)
    environments.forget(function.key)
    first = environments.run(function, invocation(1))
    time.sleep(0.5)
    second = environments.run(function, invocation())
    assert attempts(first) | attempts(second) == {(ADDRESS, 443, "TCP")}


def test_nothing_outlives_a_simulator_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL to the process that holds the pool ends keepers, handlers, daemons, and removes their files."""
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
import datetime, pathlib
from simulator.functions import Environments, FunctionSpec, Invocation
pool = Environments(folder=pathlib.Path({str(tmp_path)!r}))
function = FunctionSpec(key="k", code_zip=bytes.fromhex({package(LEFTOVERS).hex()!r}), code_sha256="x",
    runtime="python3.12", handler="app.handler", timeout_s=3, memory_mb=128, environment={{}}, function_name="f",
    function_arn="a", version="1", log_group="g", region="us-east-1", account_id="1")
now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
print(pool.run(function, Invocation(request_id="r", payload=b'"daemon"', now=now)).status, flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "ok\n"
    family = [process.pid]
    for pid in family:
        for task in Path(f"/proc/{pid}/task").iterdir():
            family += [int(each) for each in (task / "children").read_text().split()]
    assert len(family) >= 4
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    until = time.monotonic() + 10
    while time.monotonic() < until and any(Path(f"/proc/{pid}").exists() for pid in family[1:]):
        time.sleep(0.02)
    assert [pid for pid in family[1:] if Path(f"/proc/{pid}").exists()] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_pool_leaves_nothing_behind(tmp_path: Path) -> None:
    """No folder before it is used, none after it is closed or its last function is forgotten; closed, it starts anew."""
    pool = Environments(folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    function = spec("def handler(event, context): return 1")
    for end in (pool.close, lambda: pool.forget(function.key)):
        assert pool.run(function, invocation()).payload == b"1"
        assert len(list(tmp_path.iterdir())) == 1
        end()
        assert list(tmp_path.iterdir()) == []
    pool.close()


def test_preparing_warms_up_in_the_background(tmp_path: Path) -> None:
    """It returns at once, and the handler's own code waits for the first invocation and its time."""
    pool = Environments(folder=tmp_path)
    function = spec("import time\nloaded = time.time()\ndef handler(event, context): return loaded", key="lab/function")
    pool.prepare(function)
    until = time.monotonic() + 10
    while time.monotonic() < until and not pool._live:
        time.sleep(0.01)
    outcome = pool.run(function, invocation())
    assert 0 <= json.loads(outcome.payload) - NOON.timestamp() < 1
    assert outcome.init_ms is not None
    pool.close()
