"""Lambda's own contract, as a handler and its caller see it, in real processes."""

import dataclasses
import datetime
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator

import pytest

from simulator.functions import Environments, FunctionSpec, Invocation, Outcome
from simulator.functions.host import has_kernel_walls

pytestmark = pytest.mark.skipif(not has_kernel_walls(), reason="these walls are Linux's")

NOW = datetime.datetime(2026, 3, 1, 3, 4, 5, 678000, tzinfo=datetime.UTC)
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:traffic-simulation"


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    """One pool for all tests of this module."""
    pool = Environments(folder=tmp_path_factory.mktemp("functions"))
    yield pool
    pool.close()


def spec(files: dict[str, str] | str, **changed: object) -> FunctionSpec:
    """Return a function of these files, `app.py` where it is only one."""
    named = {"app.py": files} if isinstance(files, str) else files
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in named.items():
            archive.writestr(name, text)
    function = FunctionSpec(
        key="lab/lambda",
        code_zip=packed.getvalue(),
        code_sha256=str(hash(str(named))),
        runtime="python3.12",
        handler="app.handler",
        timeout_s=30,
        memory_mb=256,
        environment={"COLOUR": "green", "AWS_REGION": "overridden"},
        function_name="traffic-simulation",
        function_arn=ARN,
        version="$LATEST",
        log_group="/aws/lambda/traffic-simulation",
        region="eu-west-1",
        account_id="123456789012",
    )
    return dataclasses.replace(function, **changed)  # type: ignore[arg-type]


def invoke(environments: Environments, function: FunctionSpec, event: object = None, **changed: object) -> Outcome:
    """Run the function once."""
    invocation = Invocation(
        request_id="5f0e0c4e-0000-4000-8000-000000000001", payload=json.dumps(event).encode(), now=NOW
    )
    return environments.run(function, dataclasses.replace(invocation, **changed))  # type: ignore[arg-type]


def test_a_handler_finds_its_event_and_context(environments: Environments) -> None:
    """The context has Lambda's attributes with the function's values."""
    code = """
def handler(event, context):
    return [event, context.aws_request_id, context.function_name, context.function_version, context.invoked_function_arn,
            context.memory_limit_in_mb, context.log_group_name, context.get_remaining_time_in_millis(), context.identity]
"""
    outcome = invoke(environments, spec(code), {"key": "wärme"}, invoked_arn=ARN + ":live")
    event, request, name, version, arn, memory, group, left, identity = json.loads(outcome.payload)
    assert event == {"key": "wärme"}
    assert request == "5f0e0c4e-0000-4000-8000-000000000001"
    assert (name, version, arn) == ("traffic-simulation", "$LATEST", ARN + ":live")
    assert (memory, group, identity) == ("256", "/aws/lambda/traffic-simulation", None)
    assert 29000 < left <= 30000


def test_the_environment_is_lambdas_and_nothing_of_the_hosts(
    environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reserved names hold Lambda's values, the function's own are there, the host's are not."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the host")
    monkeypatch.setenv("LAB_HOME", "/somewhere")
    environments.forget("lab/lambda")
    code = "import os\ndef handler(event, context): return dict(os.environ) | {'pid': os.environ.get('LAB_HOME')}"
    found = json.loads(invoke(environments, spec(code)).payload)
    assert found["COLOUR"] == "green"
    assert found["AWS_REGION"] == "eu-west-1"
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == "traffic-simulation"
    assert found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"
    assert found["LAMBDA_TASK_ROOT"] == "/var/task"
    assert found["TZ"] == ":UTC"
    assert not {"LAB_HOME", "HOME", "AWS_SECRET_ACCESS_KEY", "VIRTUAL_ENV"} & set(found)


def test_the_process_environment_itself_is_clean(environments: Environments, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernel keeps of the start holds nothing of the host either."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the host")
    environments.forget("lab/lambda")
    code = "def handler(event, context): return open('/proc/self/environ').read()"
    outcome = invoke(environments, spec(code))
    assert outcome.status == "ok"
    assert b"of the host" not in outcome.payload


def test_the_log_reads_like_cloudwatchs(environments: Environments) -> None:
    """START, what was printed and logged, END and REPORT, in the forms of Lambda's Python runtime."""
    code = """
import logging, os, sys
print("loading")
def handler(event, context):
    print("hello")
    print("to stderr", file=sys.stderr)
    logging.getLogger().warning("careful")
    logging.getLogger().info("not shown")
    os.system("echo from a shell")
    return 1
"""
    environments.forget("lab/lambda")
    lines = invoke(environments, spec(code)).log.splitlines()
    request = "5f0e0c4e-0000-4000-8000-000000000001"
    assert lines[:4] == [f"START RequestId: {request} Version: $LATEST", "loading", "hello", "to stderr"]
    assert re.fullmatch(rf"\[WARNING\]\t2026-03-01T03:04:05\.\d{{3}}Z\t{request}\tcareful", lines[4])
    assert lines[5:7] == ["from a shell", f"END RequestId: {request}"]
    report = rf"REPORT RequestId: {request}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\t"
    assert re.fullmatch(report + r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t", lines[7])
    assert len(lines) == 8
    assert "Init Duration" not in invoke(environments, spec(code)).log


ERRORS = {
    "a missing module": ({"other.py": ""}, {}, "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'app'"),
    "a missing dependency": (
        {"app.py": "import nowhere"},
        {},
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'nowhere'",
    ),
    "a missing handler": ({"app.py": ""}, {}, "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
    "a name that is none": (
        {"app.py": ""},
        {"handler": "handler"},
        "Runtime.MalformedHandlerName",
        "Bad handler 'handler': not enough values to unpack (expected 2, got 1)",
    ),
    "a syntax error": ({"app.py": "def"}, {}, "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
    "an error while loading": ({"app.py": "1 / 0"}, {}, "ZeroDivisionError", "division by zero"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "changed", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_what_cannot_be_loaded_says_so_each_time(
    environments: Environments, files: dict[str, str], changed: dict[str, object], kind: str, message: str
) -> None:
    """Lambda's error types and texts, on the first invocation and on the next."""
    function = spec(files, **changed)
    for _ in range(2):
        outcome = invoke(environments, function)
        document = json.loads(outcome.payload)
        assert outcome.status == "init-error"
        assert document["errorType"] == kind
        assert document["errorMessage"].startswith(message)
        assert f"[ERROR] {kind}: {message}" in outcome.log


def test_an_exception_is_told_with_the_handlers_lines_only(environments: Environments) -> None:
    """The stack trace names files as they are on Lambda and nothing of the machine."""
    files = {
        "app.py": "from pkg.inner import fail\ndef handler(event, context):\n    return fail(event)\n",
        "pkg/inner.py": "class Refused(Exception): pass\ndef fail(event):\n    raise Refused(f'no {event}')\n",
    }
    outcome = invoke(environments, spec(files), "way")
    assert outcome.status == "error"
    document = json.loads(outcome.payload)
    document["stackTrace"] = [re.sub(r"\n +[~^]+\n$", "\n", line) for line in document["stackTrace"]]
    assert document == {
        "errorMessage": "no way",
        "errorType": "Refused",
        "requestId": "5f0e0c4e-0000-4000-8000-000000000001",
        "stackTrace": [
            '  File "/var/task/app.py", line 3, in handler\n    return fail(event)\n',
            "  File \"/var/task/pkg/inner.py\", line 3, in fail\n    raise Refused(f'no {event}')\n",
        ],
    }
    assert "[ERROR] Refused: no way\nTraceback (most recent call last):\n" in outcome.log
    assert (
        '\n\u00a0\u00a0File "/var/task/app.py", line 3, in handler\n\u00a0\u00a0\u00a0\u00a0return fail(event)\n'
        in outcome.log
    )


@pytest.mark.parametrize(
    ("source", "kind", "request_id"),
    [
        ("raise ValueError('no')\n", "ValueError", ""),
        ("import absent\n", "Runtime.ImportModuleError", "5f0e0c4e-0000-4000-8000-000000000001"),
    ],
)
def test_what_a_module_raises_belongs_to_no_request(
    environments: Environments, source: str, kind: str, request_id: str
) -> None:
    """What Lambda finds wrong with it is told in the request's answer."""
    outcome = invoke(environments, spec({"app.py": source}), "way")
    document = json.loads(outcome.payload)
    assert (outcome.status, document["errorType"], document["requestId"]) == ("init-error", kind, request_id)


@pytest.mark.parametrize(
    ("result", "kind", "message"),
    [
        ("{1}", "Runtime.MarshalError", "Unable to marshal response: Object of type set is not JSON serializable"),
        ("b'x'", "Runtime.MarshalError", "Unable to marshal response: Object of type bytes is not JSON serializable"),
        (
            "'x' * 6291555",
            "Function.ResponseSizeTooLarge",
            "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        ),
    ],
)
def test_a_result_must_be_json_and_fit(environments: Environments, result: str, kind: str, message: str) -> None:
    """What cannot be answered is an error of the function."""
    outcome = invoke(environments, spec(f"def handler(event, context): return {result}"))
    document = json.loads(outcome.payload)
    assert (outcome.status, document["errorType"], document["errorMessage"]) == ("error", kind, message)


def test_the_largest_result_passes(environments: Environments) -> None:
    """Six megabytes come through whole, non-ASCII included."""
    outcome = invoke(environments, spec("def handler(event, context): return 'é' * 3_000_000"))
    assert json.loads(outcome.payload) == "é" * 3_000_000


def test_the_largest_event_passes(environments: Environments) -> None:
    """So does an event of six megabytes."""
    assert (
        invoke(environments, spec("def handler(event, context): return len(event)"), "x" * 6_000_000).payload
        == b"6000000"
    )


def test_timeouts_and_exits_read_like_lambdas(environments: Environments) -> None:
    """The payload and the log lines of runs that got to no answer."""
    slow = invoke(environments, spec("import time\ndef handler(event, context): time.sleep(99)", timeout_s=7))
    request = "5f0e0c4e-0000-4000-8000-000000000001"
    assert json.loads(slow.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request} Error: Task timed out after 7.00 seconds",
    }
    assert slow.duration_ms == 7000
    assert f"Z {request} Task timed out after 7.00 seconds\n" in slow.log
    assert "\tStatus: timeout\t" in slow.log
    for code, reason in (
        ("sys.exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(2)", "Runtime exited with error: exit status 2"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
        ("bytearray(10 ** 9)", "Runtime exited with error: signal: killed"),
    ):
        outcome = invoke(environments, spec(f"import os, sys\ndef handler(event, context): {code}"))
        assert json.loads(outcome.payload) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {request} Error: {reason}",
        }


TIMES = """
import asyncio, datetime, queue, socket, threading, time
from datetime import date, datetime as dt
def handler(event, context):
    before = time.monotonic()
    if event == "sleep": time.sleep(5)
    if event == "asyncio": asyncio.run(asyncio.sleep(5))
    if event == "event": threading.Event().wait(5)
    if event == "queue":
        try: queue.Queue().get(timeout=5)
        except queue.Empty: pass
    if event == "receive":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
        try: s.recvfrom(10)
        except TimeoutError: pass
    return [time.time(), time.time_ns(), dt.now().isoformat(), dt.now(datetime.timezone.utc).isoformat(),
            dt.utcnow().isoformat(), date.today().isoformat(), time.strftime("%Y-%m-%dT%H:%M:%S"),
            time.monotonic() - before, context.get_remaining_time_in_millis(), isinstance(dt.now(), datetime.datetime),
            (dt.now() - dt(2026, 3, 1)).total_seconds(), time.clock_gettime(time.CLOCK_REALTIME), dt.now().tzinfo]
"""


@pytest.mark.parametrize("wait", ["", "sleep", "asyncio", "event", "queue", "receive"])
def test_a_handler_lives_in_lab_time(environments: Environments, wait: str) -> None:
    """Every clock shows lab time; waiting five seconds moves them all and takes none."""
    started = time.monotonic()
    outcome = invoke(environments, spec(TIMES), wait)
    assert outcome.status == "ok", outcome
    seconds, nanoseconds, local, aware, utc, day, text, waited, left, is_datetime, since, realtime, zone = json.loads(
        outcome.payload
    )
    expected = NOW.timestamp() + (5 if wait else 0)
    assert expected <= seconds < expected + 2
    assert abs(nanoseconds / 1e9 - seconds) < 1
    assert abs(realtime - seconds) < 1
    for shown in (local, utc, aware.removesuffix("+00:00"), text):
        moment = datetime.datetime.fromisoformat(shown).replace(tzinfo=datetime.UTC).timestamp()
        assert abs(moment - seconds) < 2
    assert aware.endswith("+00:00")
    assert (day, is_datetime, zone) == ("2026-03-01", True, None)
    assert abs(since - (seconds - datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC).timestamp())) < 1
    assert waited >= (5 if wait else 0)
    assert abs(left - (30 - (seconds - NOW.timestamp())) * 1000) < 1000
    assert outcome.duration_ms >= (5000 if wait else 0)
    assert time.monotonic() - started < 5


WAITS = {
    "a thread that sleeps for ever": (
        "threading.Thread(target=lambda: [time.sleep(60) for _ in range(10 ** 9)], daemon=True).start()",
        0,
    ),
    "a thread that sleeps, joined": (
        "t = threading.Thread(target=time.sleep, args=(7,)); t.start(); t.join()",
        7,
    ),
    "a pool whose tasks sleep": (
        "with concurrent.futures.ThreadPoolExecutor(3) as pool: list(pool.map(time.sleep, (3, 9, 5)))",
        9,
    ),
    "a pool that outlives its tasks": (
        "pool = concurrent.futures.ThreadPoolExecutor(); pool.submit(int).result(); threading.Event().wait(6)",
        6,
    ),
    "asyncio beside a thread": (
        "async def main():\n        await asyncio.to_thread(int)\n        await asyncio.sleep(8)\n    asyncio.run(main())",
        8,
    ),
    "asyncio on a thread that sleeps": ("asyncio.run(asyncio.to_thread(time.sleep, 4))", 4),
    "looking again and again": (
        "t = threading.Thread(target=lambda: sum(range(10 ** 6))); t.start()\n"
        "    while t.is_alive(): time.sleep(0.001)",
        0,
    ),
    "a subprocess with a timeout": ("subprocess.run(['true'], timeout=20, check=True, capture_output=True)", 0),
    "a subprocess waited for": ("subprocess.Popen(['true']).wait(timeout=20)", 0),
}


@pytest.mark.parametrize(("wait", "seconds"), WAITS.values(), ids=WAITS)
def test_waiting_for_others_takes_the_lab_time_that_it_should(
    environments: Environments, wait: str, seconds: float
) -> None:
    """Threads that sleep, pools, event loops and subprocesses: the clock moves by what was waited for, in little time."""
    code = f"""
import asyncio, concurrent.futures, subprocess, threading, time
def handler(event, context):
    before = time.time()
    {wait}
    return time.time() - before
"""
    environments.forget("lab/lambda")
    started = time.monotonic()
    outcome = invoke(environments, spec(code))
    assert outcome.status == "ok", outcome
    assert seconds <= json.loads(outcome.payload) < seconds + 2
    assert time.monotonic() - started < 10


def test_a_timer_goes_off_when_lab_time_has_got_there(environments: Environments) -> None:
    """Set in one invocation, it fires during a later one, as in an environment that was frozen meanwhile."""
    code = """
import socket, threading, time
def handler(event, context):
    if event: threading.Timer(300, lambda: socket.socket().connect_ex(("198.51.100.7", 443))).start()
    else: time.sleep(1)
"""
    environments.forget("lab/lambda")
    function = spec(code)
    assert invoke(environments, function, True).connections == ()
    soon, later = (NOW + datetime.timedelta(minutes=minutes) for minutes in (2, 10))
    assert invoke(environments, function, now=soon).connections == ()
    assert [each.ip for each in invoke(environments, function, now=later).connections] == ["198.51.100.7"]


def test_the_temporary_folder_is_the_functions_own(environments: Environments) -> None:
    """/tmp is empty at first, lasts while the environment is warm, and is nobody else's."""
    code = """
import os, pathlib, shutil, tempfile
def handler(event, context):
    before = sorted(os.listdir("/tmp"))
    pathlib.Path("/tmp/a").mkdir(exist_ok=True)
    pathlib.Path("/tmp/a/note").write_text("kept")
    shutil.copy("/var/task/app.py", "/tmp/b")
    os.chmod("/tmp/b", 0o755)
    with tempfile.NamedTemporaryFile() as file: file.write(b"x")
    return [before, os.path.exists("/tmp/a/note"), open("/tmp/a/note").read(), os.getcwd(), tempfile.gettempdir(),
            os.access("/tmp/b", os.X_OK)]
"""
    environments.forget("lab/lambda")
    first, second = invoke(environments, spec(code)), invoke(environments, spec(code))
    assert json.loads(first.payload) == [[], True, "kept", "/var/task", "/tmp", True], first
    assert json.loads(second.payload)[0] == ["a", "b"]
    other = invoke(environments, spec("import os\ndef handler(event, context): return os.listdir('/tmp')", key="other"))
    assert other.payload == b"[]"


def test_the_sdk_is_there_as_on_lambda(environments: Environments) -> None:
    """boto3 can be imported, and what it calls is caught like anything else."""
    code = "import boto3\ndef handler(event, context): return boto3.client('s3').meta.region_name"
    assert invoke(environments, spec(code)).payload == b'"eu-west-1"'


def test_state_lasts_while_warm_and_a_new_configuration_starts_anew(environments: Environments) -> None:
    """Globals persist; another code, variable or memory size is another process."""
    function = spec("n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n")
    environments.forget("lab/lambda")
    assert [invoke(environments, function).payload for _ in range(3)] == [b"1", b"2", b"3"]
    for changed in ({"environment": {"A": "b"}}, {"memory_mb": 512}, {"timeout_s": 4}):
        assert invoke(environments, dataclasses.replace(function, **changed)).payload == b"1"


def test_many_functions_run_from_many_threads(tmp_path_factory: pytest.TempPathFactory) -> None:
    """More functions than are kept warm, at once, each with its own state and nothing mixed up."""
    pool = Environments(folder=tmp_path_factory.mktemp("many"), most_live=3)
    code = "import socket\ndef handler(event, context):\n    socket.socket().connect_ex((event, 443))\n    return event"
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(3):
            ip = f"198.51.100.{number}"
            outcome = invoke(pool, spec(code, key=f"f{number}"), ip)
            if json.loads(outcome.payload) != ip or [each.ip for each in outcome.connections] != [ip]:
                wrong.append(outcome)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert wrong == []


def test_a_package_that_is_none_is_an_error_of_the_function(environments: Environments) -> None:
    """Bytes that are no zip do not harm the simulator."""
    outcome = invoke(environments, spec("", code_zip=b"no zip", code_sha256="bad"))
    assert outcome.status == "init-error"
    assert "cannot be unpacked" in json.loads(outcome.payload)["errorMessage"]


def test_another_runtime_is_refused_honestly(environments: Environments) -> None:
    """What the lab cannot run it does not pretend to run."""
    outcome = invoke(environments, spec("", runtime="nodejs22.x"))
    assert outcome.status == "init-error"
    assert "Python only" in json.loads(outcome.payload)["errorMessage"]
