"""The pool of execution environments: one warm, walled process a function, made and ended as needed."""

from __future__ import annotations

import logging
import os
import queue
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.clock import milliseconds
from simulator.functions import host, reports
from simulator.functions.child import frames
from simulator.functions.child.files import remove_tree
from simulator.functions.model import Cold, FunctionSpec, Invocation, Outcome, Rehearsal, Status, Walls
from simulator.functions.package import BadPackage, unpack
from simulator.service import Connection

log = logging.getLogger(__name__)

MOST_LIVE = 16
"""Warm processes kept at most; the one longest unused makes room."""

_CHILD = Path(__file__).parent / "child"
_BOOT = (
    "import sys, types; package = types.ModuleType('_lab'); package.__path__ = [sys.argv.pop()];"
    " sys.modules['_lab'] = package; from _lab.{} import main; sys.dont_write_bytecode = True; main()"
)
"""What a child's Python runs. Its own modules' byte code is kept, or each start would compile them; a function's is not."""
_SANDBOX = ("sandbox-exec", "-p", "(version 1)(allow default)(deny network*)")
_START_S = 20.0
_ANSWER_S = 60.0
"""Seconds after which a keeper that does not answer is given up; its own limits are far below."""

_RUN_S = 8.0
"""Seconds of real time for a run where no keeper sets a limit."""

_LATE: frames.Message = {
    "how": "timeout", "memory_mb": 1, "real_ms": 0.0, "skipped_ms": 0.0, "log": "", "connections": []
}  # fmt: skip


class _Gone(Exception):
    """The keeper has ended or does not answer."""


class _Late(_Gone):
    """The keeper did not answer in time."""


class _NoWalls(Exception):
    """The kernel refused the walls that it seemed to offer."""


class Environments:
    """Runs functions behind walls. One for a whole server: labs share it, functions never share a process.

    `folder` is where functions' files go while they are warm; a private temporary folder by default. Calls may come
    from any thread; runs of one function follow one another, runs of different functions do not wait for each other.
    """

    def __init__(self, *, folder: Path | None = None, most_live: int = MOST_LIVE) -> None:
        self._most_live = most_live
        self._parent = folder
        self._folder: Path | None = None
        self._kernel = host.has_kernel_walls()
        self._lock = threading.Lock()
        self._live: OrderedDict[str, _Environment] = OrderedDict()
        self._waiting: list[_Launched] = []
        self._retiring: list[threading.Thread] = []

    @property
    def forks(self) -> bool:
        """Whether processes can fork here: where not, each dry run is a cold start anyway."""
        return host.FORKS

    def walls(self) -> Walls:
        """Return what is recorded and blocked on this machine."""
        return host.walls(kernel=self._kernel)

    def prepare(self, spec: FunctionSpec) -> None:
        """Begin warming up a process for the function and return at once."""
        if _runs_here(spec):
            # Taken here and not in the thread: a late thread must not put an older configuration in a newer one's place.
            environment = self._environment(spec)
            threading.Thread(target=self._warm_up, args=(environment,), daemon=True).start()

    @contextmanager
    def ahead(self, count: int) -> Iterator[None]:
        """Start `count` processes now, for the functions that will be needed within: each takes one, and is warm the sooner."""
        try:
            for _ in range(count):
                launched = _launch(self._own_folder(), kernel=self._kernel)
                with self._lock:
                    self._waiting.append(launched)
            yield
        finally:
            self._end_waiting()

    def run(self, spec: FunctionSpec, invocation: Invocation) -> Outcome:
        """Run the function once, in its warm process or a new one.

        Never raises for what the function does. Raises LabError where the machine cannot start processes.
        """
        if not _runs_here(spec):
            return _not_run(spec, invocation, "Runtime.Unsupported", f"The lab runs Python only, not {spec.runtime}")
        request = _run_request(spec, invocation)
        for _ in range(2):
            try:
                with self._held(spec) as environment:
                    return _outcome(spec, invocation, environment.ask(request, _ANSWER_S if host.FORKS else _RUN_S))
            except BadPackage as bad:
                return _not_run(spec, invocation, "Runtime.ImportModuleError", str(bad))
            except _Late:
                return _outcome(spec, invocation, _LATE)
            except _Gone as gone:
                log.warning("a function's keeper was lost", extra={"function": spec.key, "why": str(gone)})
        return _not_run(spec, invocation, "Runtime.ExitError", reports.exit_reason(None))

    def rehearse(
        self,
        spec: FunctionSpec,
        invocations: Sequence[Invocation],
        *,
        samples: int = 3,
        budget_s: float = 2.0,
        first: int = 0,
        cold: Cold = "",
    ) -> Rehearsal:
        """Dry-run `invocations`, in order, `samples` times within `budget_s` seconds of real time.

        The runs start from the state of the warm process where there is one and leave it, its files and its counts
        as they are. The sample 0 draws the random numbers that the process would draw next, the others draw other
        ones; `first` is the one to begin with. With `cold` they start from a new process, or each invocation does.
        """
        nothing = tuple(() for _ in invocations)
        if not _runs_here(spec):
            return Rehearsal(connections=nothing, determinable=False, why=f"{spec.runtime} is not run in the lab")
        started = time.monotonic()
        union: list[dict[tuple[str, int, str], Connection]] = [{} for _ in invocations]
        ended: set[str] = set()
        why, whole = "", True
        for sample in range(first, first + max(samples, 1)):
            left = budget_s - (time.monotonic() - started)
            why = self._rehearse_once(spec, invocations, sample, left, cold, union, ended)
            if why:
                whole = sample > first
                break
        return Rehearsal(
            connections=_frozen(union),
            determinable=whole,
            why=why,
            succeeded="succeeded" in ended,
            failed="failed" in ended,
        )

    def forget(self, key: str) -> None:
        """End the process of the function `key`, if it has one."""
        with self._lock:
            environment = self._live.pop(key, None)
        if environment is not None:
            environment.retire()

    def close(self) -> None:
        """End every process. Later calls start new ones."""
        with self._lock:
            environments = tuple(self._live.values())
            self._live.clear()
            folder, self._folder = self._folder, None
            retiring, self._retiring = self._retiring, []
        retiring += [_in_background(environment.retire) for environment in environments]
        self._end_waiting()
        for thread in retiring:
            thread.join()
        if folder is not None:
            _remove(folder)

    # --- processes

    @contextmanager
    def _held(self, spec: FunctionSpec) -> Iterator[_Environment]:
        """Hold the function's environment, started. Raises BadPackage and _Gone; after the latter it starts anew."""
        while True:
            environment = self._environment(spec)
            with environment.lock:
                if environment.retired:
                    continue
                try:
                    self._ensure_started(environment)
                    yield environment
                except _Gone:
                    environment.end()
                    raise
                return

    @contextmanager
    def _apart(self, spec: FunctionSpec) -> Iterator[_Environment]:
        """Give a started environment of its own, for a dry run where processes cannot fork."""
        environment = _Environment(spec)
        try:
            self._ensure_started(environment)
            yield environment
        finally:
            environment.retire()

    def _environment(self, spec: FunctionSpec) -> _Environment:
        """Return the function's environment as it is configured now; ends one of an older configuration."""
        ended: list[_Environment] = []
        with self._lock:
            found = self._live.pop(spec.key, None)
            if found is not None and found.spec.identity != spec.identity:
                ended.append(found)
                found = None
            if found is None:
                found = _Environment(spec)
            self._live[spec.key] = found
            while len(self._live) > self._most_live:
                ended.append(self._live.popitem(last=False)[1])
            # Nobody finds them any more; their ends, which take a moment, need not be waited for.
            self._retiring = [thread for thread in self._retiring if thread.is_alive()]
            self._retiring += [_in_background(environment.retire) for environment in ended]
        return found

    def _is_current(self, spec: FunctionSpec) -> bool:
        """Say whether no process of another configuration is warm: one that is must not make room for a dry run."""
        with self._lock:
            found = self._live.get(spec.key)
        return found is None or found.spec.identity == spec.identity

    def _warm_up(self, environment: _Environment) -> None:
        with environment.lock:
            if environment.retired:
                return
            try:
                self._ensure_started(environment)
            except (BadPackage, _Gone) as failed:
                environment.end()
                log.info("a function was not warmed up", extra={"function": environment.spec.key, "why": str(failed)})

    def _ensure_started(self, environment: _Environment) -> None:
        if environment.is_alive():
            return
        try:
            environment.start(self._launched())
        except _NoWalls:
            log.warning("the kernel refused the walls; connections are recorded by an audit hook only")
            self._kernel = False
            self._end_waiting()
            environment.start(self._launched())

    def _launched(self) -> _Launched:
        """Return a process that waits to be told its function: one that was started ahead, or a new one."""
        with self._lock:
            while self._waiting:
                launched = self._waiting.pop(0)
                if launched.process.poll() is None:
                    return launched
                launched.end()
        return _launch(self._own_folder(), kernel=self._kernel)

    def _end_waiting(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for launched in waiting:
            launched.end()

    def _own_folder(self) -> Path:
        """Return the private folder of the pool, made when first it is needed, and again if it was cleaned away."""
        with self._lock:
            if self._folder is None or not self._folder.exists():
                self._folder = Path(tempfile.mkdtemp(prefix="lab-functions-", dir=self._parent))
            return self._folder

    def _rehearse_once(
        self,
        spec: FunctionSpec,
        invocations: Sequence[Invocation],
        sample: int,
        budget_s: float,
        cold: Cold,
        union: list[dict[tuple[str, int, str], Connection]],
        ended: set[str],
    ) -> str:
        """Add one sample's connections to `union` and how its runs ended; return why it did not get to its end, or nothing."""
        request = {
            "op": "rehearse",
            "id": os.urandom(8).hex(),
            "seed": None if sample == 0 else sample,
            "budget_s": budget_s,
            "cold": cold,
            "invocations": [_run_request(spec, invocation) for invocation in invocations],
        }
        try:
            with self._held(spec) if host.FORKS and self._is_current(spec) else self._apart(spec) as environment:
                answer = environment.ask(request, budget_s + _ANSWER_S)
        except BadPackage:
            return ""
        except _Gone:
            return "the function's process was lost while looking ahead"
        for place, found in enumerate(answer["connections"]):
            for connection in _connections(found):
                union[place].setdefault((connection.ip, connection.port, connection.protocol), connection)
        ended.update(name for name in ("succeeded", "failed") if answer[name])
        return str(answer["why"])


@dataclass(frozen=True, slots=True)
class _Launched:
    """A process that has not been told yet which function it keeps, and its folder. `kernel`: whether it shall put up walls."""

    process: subprocess.Popen[bytes]
    root: Path
    kernel: bool

    def end(self) -> None:
        """End it, which ends what it has started; remove the files."""
        _end_process(self.process)
        _remove(self.root)


def _launch(folder: Path, *, kernel: bool) -> _Launched:
    """Start a process that will keep a function. Raises _Gone."""
    try:
        root = Path(tempfile.mkdtemp(prefix="f-", dir=folder))
    except FileNotFoundError as cleaned_away:
        raise _Gone("the pool's folder went with its last function") from cleaned_away
    for name in ("task", "tmp", "dry"):
        (root / name).mkdir(mode=0o700)
    boot = _BOOT.format("keeper" if host.FORKS else "portable")
    command = [host.interpreter(), "-I", "-S", "-c", boot, str(_CHILD)]
    if sys.platform == "darwin" and not kernel:
        command = [*_SANDBOX, *command]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=host.clean_environment(),
        cwd=root,
        start_new_session=True,
    )
    return _Launched(process, root, kernel)


def _in_background(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


class _Environment:
    """One function's keeper process, as the simulator sees it."""

    def __init__(self, spec: FunctionSpec) -> None:
        self.spec = spec
        self.lock = threading.Lock()
        self.retired = False
        self._launched: _Launched | None = None

    def is_alive(self) -> bool:
        return self._launched is not None and self._launched.process.poll() is None

    def start(self, launched: _Launched) -> None:
        """Unpack the code and tell the process its function. Raises BadPackage, _NoWalls, _Gone."""
        self.end()
        self._launched = launched
        unpack(self.spec.code_zip, launched.root / "task")
        libraries = _link_libraries(launched.root)
        ready = self.ask(_config(self.spec, launched.root, libraries, kernel=launched.kernel), _START_S)
        if ready["kind"] == "no walls":
            self.end()
            raise _NoWalls

    def ask(self, request: frames.Message, seconds: float) -> frames.Message:
        """Send a request and return its answer. Raises _Gone."""
        process = self._launched.process if self._launched is not None else None
        if process is None or process.stdin is None or process.stdout is None:
            raise _Gone("not started")
        try:
            frames.write(process.stdin.fileno(), request)
            return _read_within(process.stdout.fileno(), seconds)
        except (OSError, frames.BrokenFrame) as failed:
            raise _Gone(str(failed)) from failed

    def retire(self) -> None:
        """End for good, once a run that is under way is over."""
        with self.lock:
            self.retired = True
            self.end()

    def end(self) -> None:
        """End the keeper, which ends the rest; remove the files."""
        launched, self._launched = self._launched, None
        if launched is not None:
            launched.end()


def _remove(folder: Path) -> None:
    """Remove a folder that a function may have filled; its keeper may have done so already."""
    try:
        remove_tree(str(folder))
    except FileNotFoundError:
        return
    except OSError as failed:
        log.warning("a function's files could not be removed", extra={"folder": str(folder), "why": str(failed)})


def _end_process(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(5 if host.FORKS else 0.2)
    except subprocess.TimeoutExpired:
        if sys.platform != "win32":
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
    if process.stderr is not None:
        complaint = process.stderr.read().decode("utf-8", "replace")
        process.stderr.close()
        if complaint:
            log.error("the keeper of a function failed: %s", complaint)


def _read_within(descriptor: int, seconds: float) -> frames.Message:
    """Return the next message of a keeper; raises OSError when none comes in time."""
    if not host.FORKS:
        return _read_in_thread(descriptor, seconds)
    deadline = time.monotonic() + seconds
    inbox = frames.Inbox()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(max(deadline - time.monotonic(), 0)):
            more = os.read(descriptor, 1 << 20)
            if not more:
                raise OSError("the keeper has ended")
            messages = inbox.feed(more)
            if messages:
                return messages[0]
    raise _Late("the keeper does not answer")


def _read_in_thread(descriptor: int, seconds: float) -> frames.Message:
    """Do the same where a pipe cannot be waited for; the thread ends with the process that it listens to."""
    found: queue.SimpleQueue[frames.Message | None] = queue.SimpleQueue()

    def listen() -> None:
        try:
            found.put(frames.read(descriptor))
        except (OSError, frames.BrokenFrame):
            found.put(None)

    threading.Thread(target=listen, daemon=True).start()
    try:
        message = found.get(timeout=seconds)
    except queue.Empty:
        raise _Late("the process does not answer") from None
    if message is None:
        raise OSError("the process has ended")
    return message


def _link_libraries(root: Path) -> Path:
    folder = root / "python"
    folder.mkdir(mode=0o700)
    if sys.platform != "win32":
        for path in host.bundled():
            (folder / path.name).symlink_to(path)
    return folder


def _config(spec: FunctionSpec, root: Path, libraries: Path, *, kernel: bool) -> frames.Message:
    stream = f"[{spec.version}]{spec.code_sha256[:8]}"
    return {
        "kernel_walls": kernel,
        "root": str(root),
        "task": str(root / "task"),
        "temporary": str(root / "tmp"),
        "dry_folder": str(root / "dry"),
        "libraries": [str(libraries)],
        "readable": [*host.readable(), str(root / "task"), str(libraries)],
        "writable": [str(root / "tmp"), str(root / "dry"), os.devnull],
        "resolvers": list(host.resolvers()),
        "handler": spec.handler,
        "memory_mb": spec.memory_mb,
        "function_name": spec.function_name,
        "version": spec.version,
        "log_group": spec.log_group,
        "log_stream": stream,
        "environment": _environment_variables(spec, stream),
    }


def _environment_variables(spec: FunctionSpec, stream: str) -> dict[str, str]:
    """Return what a function finds in its environment. Source: AWS Lambda developer guide, Environment variables."""
    reserved = {
        "_HANDLER": spec.handler,
        "AWS_DEFAULT_REGION": spec.region,
        "AWS_REGION": spec.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.function_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
    }
    free = {
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
        "PYTHONPATH": "/var/runtime",
        "TZ": ":UTC",
    }
    return free | dict(spec.environment) | reserved


def _run_request(spec: FunctionSpec, invocation: Invocation) -> dict[str, Any]:
    return {
        "op": "run",
        "id": os.urandom(8).hex(),
        "request_id": invocation.request_id,
        "payload": invocation.payload.decode("utf-8", "surrogateescape"),
        "now_ms": milliseconds(invocation.now),
        "timeout_ms": spec.timeout_s * 1000,
        "trace": invocation.trace,
        "invoked_arn": invocation.invoked_arn or spec.function_arn,
    }


def _runs_here(spec: FunctionSpec) -> bool:
    return spec.runtime.startswith("python")


def _connections(found: list[dict[str, Any]]) -> tuple[Connection, ...]:
    return tuple(Connection(**each) for each in found)


def _frozen(union: list[dict[tuple[str, int, str], Connection]]) -> tuple[tuple[Connection, ...], ...]:
    return tuple(tuple(found.values()) for found in union)


def _not_run(spec: FunctionSpec, invocation: Invocation, kind: str, message: str) -> Outcome:
    status: Status = "exited" if kind == "Runtime.ExitError" else "init-error"
    text = reports.log(spec, invocation, message, status=status, kind=kind, duration_ms=0.0, init_ms=None, memory_mb=0)
    payload = reports.error_document(kind, message, invocation.request_id)
    return Outcome(
        status=status, payload=payload, log=text, duration_ms=0.0, init_ms=None, max_memory_mb=0, connections=()
    )


def _outcome(spec: FunctionSpec, invocation: Invocation, answer: frames.Message) -> Outcome:
    """Make of a keeper's answer what Lambda would say of the run."""
    status, kind, payload = _judged(spec, invocation, answer)
    limit = spec.timeout_s * 1000.0
    taken = answer.get("elapsed_ms", answer["real_ms"] + answer["skipped_ms"])
    duration = limit if status == "timeout" else min(max(taken, 0.01), limit)
    init = answer.get("init_ms")
    memory = spec.memory_mb if status == "out-of-memory" else min(max(answer["memory_mb"], 1), spec.memory_mb)
    text = reports.log(
        spec, invocation, answer["log"], status=status, kind=kind, duration_ms=duration, init_ms=init, memory_mb=memory
    )
    return Outcome(
        status=status,
        payload=payload,
        log=text,
        duration_ms=duration,
        init_ms=init,
        max_memory_mb=memory,
        connections=_connections(answer["connections"]),
    )


def _judged(spec: FunctionSpec, invocation: Invocation, answer: frames.Message) -> tuple[Status, str | None, bytes]:
    """Return the status of a run, the error type for its report line, and its payload."""
    request = invocation.request_id
    how, error = answer["how"], answer.get("error")
    if how == "ok" and error != "memory":
        statuses: dict[str | None, Status] = {None: "ok", "handler": "error", "init": "init-error"}
        return statuses[error], None, answer["payload"].encode("utf-8", "surrogatepass")
    if how == "timeout":
        return "timeout", None, reports.error_document("Sandbox.Timedout", reports.timed_out(spec.timeout_s), request)
    if how == "memory" or error == "memory":
        killed = reports.exit_reason(9)
        return "out-of-memory", "Runtime.OutOfMemory", reports.error_document("Runtime.ExitError", killed, request)
    reason = reports.exit_reason(answer.get("status") if how == "exited" else 9)
    return "exited", "Runtime.ExitError", reports.error_document("Runtime.ExitError", reason, request)
