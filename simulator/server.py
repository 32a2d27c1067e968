"""The simulator's process: open or make the lab, serve it on loopback, and let wall time pass in it.

Run as `python -m simulator.server`, by `lab start`. It tells its parent in one JSON line on stdout that it is ready, or why it
is not. The server itself connects to nothing outside: an audit hook refuses it.
"""

import argparse
import contextlib
import dataclasses
import gc
import ipaddress
import json
import logging
import logging.handlers
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from scenario.errors import LabError
from simulator import console
from simulator.home import Home, Running
from simulator.identity import Ids

if TYPE_CHECKING:
    from cheroot.wsgi import Server

    from simulator.gateway import Gateway
    from simulator.world import Lab

log = logging.getLogger(__name__)
THREADS = 12
CHECK_SESSION = "lab-check"
STARTS = 6
"""How many processes a new lab's history takes: three functions, one of which is configured anew three times."""


def main() -> int:
    """Run the simulator until it is stopped. Returns the process's exit code."""
    options = _options()
    os.umask(0o077)  # what a lab writes down is its owner's
    home = Home.from_environment({"LAB_HOME": options.home})
    try:
        home.prepare()
        _log_to(home)
        server = _listen(options.host, options.port)
        _refuse_outside()
        return _serve(options, home, server)
    except LabError as broken:
        log.error("%s", broken)
        return _give_up(broken)
    except Exception as defect:
        log.exception("the simulator could not start or go on")
        happened = f"{type(defect).__name__}: {defect}"
        return _give_up(LabError("running the simulator", happened, f"This is a defect of the kit; see {home.log}."))


def _give_up(broken: LabError) -> int:
    """Tell the parent, where it still listens, and return the exit code."""
    told = {
        "tried": broken.tried,
        "happened": broken.happened,
        "try_next": broken.try_next,
        "exit_code": broken.exit_code,
    }
    with contextlib.suppress(OSError, ValueError):
        print(json.dumps({"error": told}), flush=True)
    return broken.exit_code


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What a simulator is started with: where it listens, and which lab it makes where LAB_HOME holds none yet.

    `history` is in hours. `paused` is None for as it was. `verify` looks at a submitted lab: its time stands still.
    """

    home: str = ""
    host: str = "127.0.0.1"
    port: int = 4566
    seed: str = ""
    ip: str | None = None
    scenario: str = "lambda-malicious-ip"
    history: float = 40.0
    hosted: bool = False
    paused: bool | None = None
    verify: bool = False


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="simulator.server")
    parser.add_argument("--home", required=True)
    parser.add_argument("--host", default=Options.host)
    parser.add_argument("--port", type=int, default=Options.port)
    parser.add_argument("--seed", default=Options.seed)
    parser.add_argument("--ip")
    parser.add_argument("--scenario", default=Options.scenario)
    parser.add_argument("--history", type=float, default=Options.history, help="hours")
    parser.add_argument("--hosted", action="store_true", help="verify signatures: more than one person uses this lab")
    parser.add_argument(
        "--paused", action=argparse.BooleanOptionalAction, help="let lab time stand still; as it was, if not given"
    )
    parser.add_argument(
        "--verify", action="store_true", help="look at a submitted lab: time stands still, no code runs but walled"
    )
    return Options(**vars(parser.parse_args()))


def _log_to(home: Home) -> None:
    handler = logging.handlers.RotatingFileHandler(home.log, maxBytes=2_000_000, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("botocore").setLevel(logging.WARNING)


def _listen(host: str, port: int) -> "Server":
    """Return the server with its port taken: a busy one is told before the lab is loaded. It serves nothing yet."""
    from cheroot.wsgi import Server

    from simulator.http_server import IDLE, Connection

    server = Server((host, port), None, numthreads=THREADS, request_queue_size=128, server_name="lab")
    server.ConnectionClass = Connection
    server.keep_alive_conn_limit = IDLE
    server.expiration_interval = 0.1  # seconds; how often it looks whether it shall stop: 'lab stop' waits for that
    try:
        server.prepare()
    except OSError as taken:
        raise LabError(
            f"listening on {host}:{port}",
            "the port is in use or may not be taken",
            f"Choose another one with --port, such as 'lab start --port {port + 1 if port < 65535 else 4567}'.",
        ) from taken
    return server


def _refuse_outside() -> None:
    """Refuse every connection of this process to an address that is not this machine's. moto would make some."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "socket.connect":
            return
        address = arguments[1]
        if not isinstance(address, tuple):
            return
        try:
            local = ipaddress.ip_address(address[0]).is_loopback
        except ValueError:
            local = address[0] == "localhost"
        if not local:
            raise ConnectionRefusedError(f"the simulator connects to nothing outside, so not to {address[0]}")

    sys.addaudithook(hook)


def _serve(options: Options, home: Home, server: "Server") -> int:
    endpoint_url = f"http://127.0.0.1:{server.bind_addr[1]}"
    if options.verify:
        _limit_myself()
    with _few_collections():
        opened = open_lab(options, home, endpoint_url)

    # Not before: the functions' processes, which get ready on another core, are to be started first.
    from simulator.control import Control, versions
    from simulator.gateway import Gateway

    lab = opened.lab
    stopping = threading.Event()
    running = running_of(lab, endpoint_url, options.hosted)
    control = Control(lab=lab, token=running.token, stop=stopping.set, version=versions()["guardduty-lab"])
    control.rehearses = not options.verify or lab.environments.walls().kernel
    gateway = Gateway(labs={lab.account_id: lab}, control=control, hosted=options.hosted)
    give_keys(gateway, lab, running)
    if not options.hosted:
        gateway.console = console.mounted(running, home, gateway)
    server.wsgi_app = gateway
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stopping.set())
    threading.Thread(target=server.serve, daemon=True).start()
    home.write_running(running)
    _say_ready({"ready": dataclasses.asdict(running), "notes": opened.notes})
    _keep_time(lab, stopping)
    server.stop()
    try:
        lab.close()
    finally:
        lab.environments.close()
        home.forget_running()
    return 0


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Collect garbage seldom while a lab is opened, which makes next to none but much that stays, and never look at that again."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.freeze()  # without a last look: it would take as long as a tenth of a start, to find next to nothing
        gc.set_threshold(*usual)


def _limit_myself() -> None:
    """Bound what a stranger's journal may cost the machine: memory, processor time and the size of a file."""
    if sys.platform == "win32":
        return
    import resource

    for kind, limit in ((resource.RLIMIT_AS, 6 << 30), (resource.RLIMIT_CPU, 900), (resource.RLIMIT_FSIZE, 2 << 30)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _say_ready(told: dict[str, Any]) -> None:
    """Tell the parent, and let go of the pipe: a function's process that inherits it would hold it open."""
    with contextlib.suppress(OSError):  # a parent that gave up does not end the lab
        print(json.dumps(told), flush=True)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _keep_time(lab: "Lab", stopping: threading.Event) -> None:
    while not stopping.wait(1.0):
        try:
            lab.tick()
        except LabError as broken:  # the disk may recover; until then every answer says that it has not
            log.error("%s", broken)
        except Exception:
            log.exception("a tick of the lab failed")


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """An open lab, and what whoever started it should be told of."""

    lab: "Lab"
    notes: tuple[str, ...] = ()


def open_lab(options: Options, home: Home, endpoint_url: str) -> Opened:
    """Return the lab of LAB_HOME: replayed from its journal, or made with its history where there is none yet."""
    from simulator.functions import Environments
    from simulator.journal import Journal, files_of

    if home.journal.exists():
        journal = Journal.open(home.journal)
        if journal.meta().get("ready") == "yes":
            return _replayed(options, journal, endpoint_url, Environments())
        journal.close()
        for file in files_of(home.journal):
            file.unlink()  # a start that was interrupted: nobody has been told of that lab
    environments = Environments()
    with environments.ahead(STARTS):  # they get ready on another core while this one imports moto and plays the history
        return Opened(_make_lab(options, home, endpoint_url, environments))


def _replayed(options: Options, journal: Any, endpoint_url: str, environments: Any) -> Opened:
    from simulator.control import VERSIONED
    from simulator.services.moto import Moto
    from simulator.world import Lab

    lab = Lab(meta=journal.meta(), journal=journal, moto=Moto(), environments=environments, endpoint_url=endpoint_url)
    lab.replay()
    notes = []
    for difference in lab.differences:
        log.warning("replay: %s", difference)
    if lab.differences:
        made = ", ".join(f"{name} {lab.meta.get(f'version_{name}', 'unknown')}" for name in VERSIONED)
        notes.append(
            f"{len(lab.differences)} answers are not what they were ({lab.differences[0]}; …). The lab was made with {made}."
        )
    if options.verify:
        lab.clock.stand_still()
    elif options.paused is not None:
        lab.pause(options.paused)
    left_out = lab.resume()
    if left_out:
        notes.append(
            f"The lab was stopped for long: its schedules made up for the last seven days, and left out {left_out.days} days "
            f"and {left_out.seconds // 3600} hours before."
        )
    if lab.clock.paused and not options.verify:
        notes.append("Lab time stands still; 'lab start --no-paused' lets it go on.")
    return Opened(lab, tuple(notes))


def _make_lab(options: Options, home: Home, endpoint_url: str, environments: Any) -> "Lab":
    from scenario.load import load
    from scenario.variant import variant
    from simulator.control import versions
    from simulator.journal import Journal
    from simulator.services.moto import Moto
    from simulator.story import Story, start_of
    from simulator.world import Lab, new_meta

    scenario = load(options.scenario)
    seed = options.seed or secrets.token_hex(6)
    history = timedelta(hours=options.history)
    values = variant(scenario, seed, options.ip, history)
    made_with = {f"version_{name}": version for name, version in versions().items()}
    meta = new_meta(
        seed=seed, account_id=values.account_id, scenario_id=scenario.id, ip=options.ip, history=options.history, versions=made_with
    )  # fmt: skip
    journal = Journal.create(home.journal, meta)
    lab = Lab(meta=meta, journal=journal, moto=Moto(), environments=environments, endpoint_url=endpoint_url)
    with lab.lock, journal.one_piece():
        Story(lab, scenario, values, start_of(datetime.now(UTC), history)).play()
        journal.note("ready", "yes")
        journal.note("history_end", str(journal.next_seq - 1))
    if options.paused:
        lab.pause(True)
    lab.resume()
    return lab


def running_of(lab: "Lab", endpoint_url: str, hosted: bool) -> Running:
    """Return how a lab that this process opened is reached, with keys and a token made for it now."""
    keys = {}
    for who in ("", "check_", "owner_"):
        keys[f"{who}access_key_id"] = Ids.of(lab.seed, "keys", who).unique_id("ASIA", lab.account_id, 20)
        keys[f"{who}secret_access_key"] = secrets.token_urlsafe(30)
        keys[f"{who}session_token"] = secrets.token_urlsafe(90)
    return Running(
        pid=os.getpid(),
        endpoint_url=endpoint_url,
        token=secrets.token_urlsafe(24),
        lab_id=lab.lab_id,
        seed=lab.seed,
        scenario=lab.meta["scenario"],
        account_id=lab.account_id,
        region=lab.region,
        ip=lab.meta.get("ip"),
        hosted=hosted,
        **keys,
    )


def give_keys(gateway: "Gateway", lab: "Lab", running: Running) -> None:
    """Let the gateway know the trainee's session, the checker's (the same role, told apart by name) and the account owner's."""
    from simulator.gateway import Key
    from simulator.story import account_owner, participant_role, session_of

    now = lab.clock.now()
    participant = participant_role(lab)
    for principal, key, secret, token in (
        (session_of(lab, participant, "Participant", now), running.access_key_id, running.secret_access_key, running.session_token),
        (session_of(lab, participant, CHECK_SESSION, now), running.check_access_key_id, running.check_secret_access_key, running.check_session_token),
        (account_owner(lab, now), running.owner_access_key_id, running.owner_secret_access_key, running.owner_session_token),
    ):  # fmt: skip
        gateway.keys[key] = Key(principal=replace(principal, access_key_id=key), secret=secret, token=token)
    lab.meta["trainee_key"] = running.access_key_id


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # The server's threads may wait for requests that never come; what had to be written is written.
    os._exit(code)
