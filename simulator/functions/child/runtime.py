"""Lambda's runtime for Python, inside the walls: loads the handler once, then answers one invocation after the other.

Everything said here to the keeper can be forged by the handler, which shares the process; the keeper believes none of
it where it matters (what was connected to, how long it took, whether it lives). Behaviour, texts and log formats
follow the runtime interface client that AWS publishes (awslambdaric) and the AWS Lambda developer guide, "Building
Lambda functions with Python".
"""

# pathlib is slow to import, and this process must start fast.
# ruff: noqa: PTH123

from __future__ import annotations

import decimal
import importlib
import io
import json
import logging
import mmap
import os
import random
import signal
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, NoReturn, TypeGuard

from . import audit, frames, labtime, paths

LARGEST_RESULT = 6291556
"""Bytes of a synchronous result. Source: AWS Lambda developer guide, Lambda quotas."""

SHARED_BYTES = 56
SKIPPED, SKIPPED_DRY, PLACE, LOADED, BEGUN, SUCCEEDED, FAILED = 0, 8, 16, 24, 32, 40, 48
"""The page shared with the keeper: how far the clock was moved (warm, dry), which dry invocation runs, whether the
handler was loaded, whether the invocation has begun, and whether some dry invocation went well or ill. What is said
there can only shorten a run."""


def shared_value(shared: mmap.mmap | bytes, place: int) -> int:
    """Return a number of the shared page."""
    value: int = struct.unpack_from("q", shared, place)[0]
    return value


def set_shared(shared: mmap.mmap, place: int, value: int) -> None:
    """Set a number of the shared page."""
    struct.pack_into("q", shared, place, value)


def is_page(said: Any) -> TypeGuard[str]:
    """Say whether this is a copy of the shared page in hexadecimal digits."""
    return isinstance(said, str) and len(said) == 2 * SHARED_BYTES and not said.strip("0123456789abcdef")


class Context:
    """What a handler gets as its second argument. Source: AWS Lambda developer guide, Python context object."""

    def __init__(self, config: frames.Message, request: frames.Message, clock: labtime.Clock) -> None:
        self.aws_request_id = request["request_id"]
        self.function_name = config["function_name"]
        self.function_version = config["version"]
        self.invoked_function_arn = request["invoked_arn"]
        self.memory_limit_in_mb = str(config["memory_mb"])
        self.log_group_name = config["log_group"]
        self.log_stream_name = config["log_stream"]
        self.identity: Any = None
        self.client_context: Any = None
        self._deadline_ns = (request["now_ms"] + request["timeout_ms"]) * 1_000_000
        self._clock = clock

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds before the run times out."""
        left: int = (self._deadline_ns - self._clock.now_ns()) // 1_000_000
        return max(left, 0)

    def log(self, message: str) -> None:
        """Write to the function's log."""
        sys.stdout.write(str(message))


class _Log(logging.Handler):
    """Writes records as Lambda's own handler does."""

    request_id = ""

    def emit(self, record: logging.LogRecord) -> None:
        record.aws_request_id = self.request_id
        sys.stdout.write(self.format(record))


class _Encoder(json.JSONEncoder):
    def default(self, value: Any) -> Any:
        if isinstance(value, decimal.Decimal):
            return float(value)
        return super().default(value)


class LoadError(Exception):
    """The handler cannot be loaded: an error type and message as Lambda gives them."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Runtime:
    """One function's process: its handler, its clock, its two pipes to the keeper."""

    def __init__(self, config: frames.Message, commands: int, answers: int, shared: mmap.mmap) -> None:
        self._config = config
        self._commands, self._answers = commands, answers
        self._shared = shared
        self._clock = labtime.Clock()
        self._folders = paths.Folders(config["task"], config["temporary"], (config["root"], *config["readable"]))
        self._log = _Log()
        self._handler: Callable[..., Any] | None = None
        self._load_error: dict[str, Any] | None = None
        self._pid = os.getpid()
        self._dry = False
        self._frames_hidden = os.path.dirname(__file__)  # noqa: PTH120 - pathlib is slow to import

    # --- the loop

    def serve(self) -> NoReturn:
        """Answer the keeper until it goes away."""
        while True:
            request = frames.read(self._commands)
            if request is None:
                os._exit(0)
            if request["op"] == "run":
                self._run(request)
            else:
                self._rehearse(request)
            if os.getpid() != self._pid:
                os._exit(0)

    def _run(self, request: frames.Message) -> None:
        set_shared(self._shared, BEGUN, 1)
        answer = self.invoke(request)
        self._flush()
        self._say({"kind": "result", "id": request["id"], **answer})

    def _rehearse(self, request: frames.Message) -> None:
        """Run invocations in a fork, which takes the process's state along and leaves it as it is."""
        drawn = random.getstate()
        with audit.forking():
            pid = os.fork()
        if pid:
            _, status = os.waitpid(pid, 0)
            if status:
                set_shared(self._shared, FAILED, 1)
            self._say({"kind": "rehearsed", "id": request["id"], "status": status})
            return
        random.setstate(drawn)  # Python reseeds its generator in a fork
        self._try_out(request, 0)

    def rehearse(self, request: frames.Message) -> NoReturn:
        """Run a dry run's invocations from the start: an invocation that ends its process is followed by a cold one.

        Where each is to be cold, every one of them runs in a process of its own.
        """
        count = len(request["invocations"])
        place = 0
        while place < count:
            with audit.forking():
                pid = os.fork()
            if pid == 0:
                self._try_out(request, place)
            _, status = os.waitpid(pid, 0)
            if status:
                set_shared(self._shared, FAILED, 1)
            place = max(shared_value(self._shared, PLACE), place) + 1
        os._exit(0)

    def _try_out(self, request: frames.Message, first: int) -> NoReturn:
        """Run invocations from the place `first` on, telling the keeper by the shared page which one runs. Exits."""
        self._pid = os.getpid()
        self._dry = True
        self._clock.forked()
        self._folders.temporary = request["temporary"]
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        if request["seed"] is not None:
            random.seed(request["seed"])
        alone = request["cold"] == "each"
        invocations = request["invocations"][first : first + 1 if alone else None]
        for place, invocation in enumerate(invocations, first):
            set_shared(self._shared, PLACE, place)
            error = self.invoke(invocation)["error"]
            set_shared(self._shared, FAILED if error else SUCCEEDED, 1)
            if error == "memory":
                os._exit(76)
        if not alone:
            set_shared(self._shared, PLACE, len(request["invocations"]))
        os._exit(0)

    def _say(self, message: frames.Message) -> None:
        try:
            frames.write(self._answers, message)
        except OSError:
            os._exit(1)

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                continue

    # --- one invocation

    def invoke(self, request: frames.Message) -> dict[str, Any]:
        """Run the handler and return `payload` (JSON text), `error` (None or a type) and times in milliseconds."""
        start_ns = request["now_ms"] * 1_000_000
        self._clock.set(start_ns, start_ns + request["timeout_ms"] * 1_000_000)
        self._log.request_id = request["request_id"]
        os.environ["_X_AMZN_TRACE_ID"] = request["trace"]
        init_ns = None
        if self._handler is None:
            self._clock.deadline_ns = start_ns + 10_000_000_000
            self._load()
            init_ns = self._clock.elapsed_ns()
            set_shared(self._shared, LOADED, 1)
            self._clock.set(start_ns, start_ns + request["timeout_ms"] * 1_000_000)
        answer = self._call(request)
        answer["elapsed_ms"] = self.elapsed_ms()
        answer["init_ms"] = None if init_ns is None else init_ns / 1e6
        return answer

    def _load(self) -> None:
        try:
            self._handler = self._find_handler()
        except LoadError as failed:
            self._load_error = {**_error(failed.kind, str(failed), []), "requestId": None}
        except Exception as failed:
            self._load_error = self._described(failed)
        if self._load_error is not None:
            self._print_error(self._load_error)

    def _find_handler(self) -> Callable[..., Any]:
        named = self._config["handler"]
        module_name, dot, function_name = named.rpartition(".")
        if not dot:
            reason = "not enough values to unpack (expected 2, got 1)"
            raise LoadError("Runtime.MalformedHandlerName", f"Bad handler '{named}': {reason}")
        try:
            module = importlib.import_module(module_name.replace("/", "."))
        except ImportError as failed:
            raise LoadError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {failed}") from None
        except SyntaxError as failed:
            raise LoadError(
                "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {failed}"
            ) from None
        handler = getattr(module, function_name, None)
        if handler is None:
            reason = f"Handler '{function_name}' missing on module '{module_name}'"
            raise LoadError("Runtime.HandlerNotFound", reason)
        found: Callable[..., Any] = handler
        return found

    def _call(self, request: frames.Message) -> dict[str, Any]:
        _spare_certificates()
        if self._handler is None:
            problem, self._load_error = self._load_error, None
            assert problem is not None
            # What the module itself raised is reported before there is a request; what Lambda found wrong with it, in one.
            request_id = request["request_id"] if problem["requestId"] is None else ""
            return _failed({**problem, "requestId": request_id}, init=True)
        try:
            event = json.loads(request["payload"] or "null")
            result = self._handler(event, Context(self._config, request, self._clock))
        except MemoryError:
            return {"payload": "", "error": "memory"}
        except Exception as failed:
            problem = self._described(failed)
            self._print_error(problem)
            return _failed({**problem, "requestId": request["request_id"]})
        return self._marshalled(result, request["request_id"])

    def _marshalled(self, result: Any, request_id: str) -> dict[str, Any]:
        try:
            text = json.dumps(result, ensure_ascii=False, cls=_Encoder)
        except Exception as failed:
            problem = _error("Runtime.MarshalError", f"Unable to marshal response: {failed}", [])
            self._print_error(problem)
            return _failed({**problem, "requestId": request_id})
        if len(text.encode("utf-8", "surrogatepass")) > LARGEST_RESULT:
            message = f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESULT} bytes)."
            return _failed({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"})
        return {"payload": text, "error": None}

    def _described(self, failed: BaseException) -> dict[str, Any]:
        lines = traceback.format_list(self._own_frames(failed.__traceback__))
        shown = [self._folders.shown(line.rstrip("\n")) + "\n" for line in lines]
        return _error(type(failed).__name__, self._folders.shown(str(failed)), shown)

    def _own_frames(self, trace: TracebackType | None) -> list[traceback.FrameSummary]:
        """The handler's frames: neither this runtime's nor those of the import machinery that led to it."""
        found = [each for each in traceback.extract_tb(trace) if not each.filename.startswith(self._frames_hidden)]
        while found and found[0].filename.startswith(("<frozen importlib", importlib.__file__)):
            found.pop(0)
        return found

    def _print_error(self, problem: dict[str, Any]) -> None:
        # In the log a trace is indented with spaces that do not break, so that it stays one event.
        shown = "".join(problem["stackTrace"]).splitlines(keepends=True)
        lines = "".join("\u00a0" * (len(line) - len(line.lstrip(" "))) + line.lstrip(" ") for line in shown)
        head = f"[ERROR] {problem['errorType']}: {problem['errorMessage']}\nTraceback (most recent call last):\n"
        try:
            sys.stdout.write(head + lines)
        except (OSError, ValueError):
            return

    # --- before the handler is there

    def prepare(self) -> None:
        """Take on Lambda's environment, clock, folders, log and limits. The walls are up already."""
        os.environ.clear()
        os.environ.update(self._config["environment"])
        if hasattr(time, "tzset"):
            time.tzset()
        self._clock.on_skip = self._share_skipped
        self._clock.on_deadline = self._time_out
        labtime.install(self._clock)
        os.chdir(self._config["task"])
        paths.install(self._folders)
        sys.path[:0] = [self._config["task"]]
        sys.path += self._config["libraries"]
        sys.argv = ["/var/runtime/bootstrap.py"]
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - as Python opens it itself
        sys.stdout = _stream(1)
        sys.stderr = _stream(2)
        self._log.setFormatter(_formatter())
        logging.getLogger().addHandler(self._log)
        importlib.invalidate_caches()

    def elapsed_ms(self) -> float:
        """Return how long the run has taken in lab time."""
        return self._clock.elapsed_ns() / 1e6

    def ends_with(self, on_deadline: Callable[[], None]) -> None:
        """Have `on_deadline` called when lab time passes a run's deadline, instead of waiting to be killed."""
        self._clock.on_deadline = on_deadline

    def _share_skipped(self, skipped_ns: int) -> None:
        set_shared(self._shared, SKIPPED_DRY if self._dry else SKIPPED, skipped_ns)

    def _time_out(self) -> NoReturn:
        """Say that lab time has passed the deadline and wait to be killed; a dry run just ends."""
        if os.getpid() == self._pid and not self._dry:
            self._flush()
            self._say({"kind": "deadline"})
        if self._dry:
            os._exit(75)
        while True:
            signal.pause()


def _error(kind: str, message: str, trace: list[str]) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": trace}


def _failed(problem: dict[str, Any], *, init: bool = False) -> dict[str, Any]:
    return {"payload": json.dumps(problem), "error": "init" if init else "handler"}


def _stream(descriptor: int) -> io.TextIOWrapper:
    return open(descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _spare_certificates() -> None:
    """Have TLS contexts not load the machine's authorities: 25 ms a context, and no handshake ever begins here."""
    ssl = sys.modules.get("ssl")
    if ssl is not None:
        ssl.SSLContext.load_default_certs = _load_nothing


def _load_nothing(*_arguments: Any) -> None:
    """Stand in for what only a handshake would need."""


def _formatter() -> logging.Formatter:
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    return formatter


def limit(memory_mb: int) -> None:
    """Bound what this process and each of its children may take of memory, files and core dumps."""
    import resource

    own = _data_bytes()
    threading.stack_size(1024 * 1024)  # a thread's whole stack counts as used, eight megabytes by default
    bounds = {
        resource.RLIMIT_DATA: own + (memory_mb + 64) * 1024 * 1024,
        resource.RLIMIT_NOFILE: 1024,
        resource.RLIMIT_FSIZE: 512 * 1024 * 1024,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: 600,
    }
    for which, bound in bounds.items():
        _, hard = resource.getrlimit(which)
        ceiling = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(which, (ceiling, ceiling))


def _data_bytes() -> int:
    """Return the private writable memory of this process: what RLIMIT_DATA counts."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmData"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return 64 * 1024 * 1024
    return 64 * 1024 * 1024


def start(config: frames.Message, commands: int, answers: int, shared: mmap.mmap) -> Runtime:
    """Return the runtime of a process that is behind its walls, ready for its first invocation."""
    signal.signal(signal.SIGINT, _die)
    threading.excepthook = _thread_died
    runtime = Runtime(config, commands, answers, shared)
    runtime.prepare()
    return runtime


def leave(code: object) -> NoReturn:
    """End the process as Python does on `sys.exit(code)`, without what only the keeper would clean up."""
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((code or 0) & 0xFF)


def _die(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(130)


def _thread_died(problem: Any) -> None:
    sys.stderr.write(f"[ERROR] {problem.exc_type.__name__}: {problem.exc_value}\n")
