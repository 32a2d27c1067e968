"""Scenario -> problems an author should mend. Pure: the folder's files come as text by name.

A problem is one sentence that starts with where it is. An empty answer means that nothing was found. What only AWS's
models know (whether an operation and its parameters exist) is checked by tests/unit/scenario against botocore.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address

from scenario.load import PAGES, translated
from scenario.model import RUNGS, Call, Fix, Scenario, SceneryFinding, Task, TemptingWrongFix
from scenario.steps import placeholders, provisioning
from scenario.variant import BENCHMARK, variant

FULL_MARKS = 100
TRANSLATED = re.compile(r"(?:guide|instructor)\.([a-z]{2})\.md")
TEXTS = re.compile(r"([a-z]{2})\.yaml")
FOLDER_ID = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*")
ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def problems(scenario: Scenario, folder: str, files: Mapping[str, str]) -> tuple[str, ...]:
    """Return what an author should mend, in the order of the scenario's parts.

    `folder` is the name of the scenario's folder, `files` maps its files' paths in it to their text.
    """
    return (
        *_names(scenario, folder),
        *_points(scenario),
        *(problem for task in scenario.tasks for problem in _task(task)),
        *_spoilers(scenario),
        *_background(scenario),
        *(problem for finding in scenario.background.findings for problem in _finding(finding, scenario)),
        *_calls(scenario, files),
        *_pages(scenario, files),
        *_half_languages(files),
    )


def translation(english: Scenario, said: Scenario) -> tuple[str, ...]:
    """Return what an author should mend in the texts of a scenario in another language, beside `problems`.

    Each text is there (`load` refuses a file that misses one), says something, is no longer English, and holds the same
    placeholders and command lines. The titles of references may be names, which stay.
    """
    texts, originals = _texts(said), _texts(english)
    return tuple(
        f"{where}: {problem}"
        for where, original in originals.items()
        for problem in _differences(original, texts[where], name=where.startswith("references."))
    )


def _texts(scenario: Scenario) -> dict[str, str]:
    """Return what a trainee reads, by where it stands."""
    found = {"title": scenario.title, "assignment": scenario.assignment}
    for task in scenario.tasks:
        where = f"tasks.{task.id}"
        found |= {f"{where}.title": task.title, f"{where}.question": task.question}
        found |= {f"{where}.hints.{hint.rung}": hint.text for hint in task.hints}
        found |= {f"{where}.parts.{part.id}": part.title for part in task.parts}
    return found | {f"references.{each.id}": each.title for each in scenario.references}


def _differences(original: str, said: str, *, name: bool) -> Iterator[str]:
    if not said.strip():
        yield "it is empty"
    elif said == original and not name:
        yield "it is still in English"
    if placeholders(said) != placeholders(original):
        yield "its placeholders are not those of the English text"
    if _commands(said) != _commands(original):
        yield "its commands are not those of the English text"


def _commands(text: str) -> list[str]:
    """Return the command lines of a text, without the remarks and results beside them."""
    lines = (line.strip() for line in text.splitlines())
    return [re.split(r" {2,}| -> ", line)[0] for line in lines if line.startswith(("aws ", "lab "))]


def _names(scenario: Scenario, folder: str) -> Iterator[str]:
    if scenario.id != folder:
        yield f"id: it is {scenario.id!r}, but the folder is called {folder!r}"
    if not FOLDER_ID.fullmatch(scenario.id):
        yield f"id: {scenario.id!r} is not made of lower-case words joined by - or ."
    exercises: tuple[Fix | TemptingWrongFix, ...] = (*scenario.fixes, *scenario.tempting_wrong_fixes)
    background = scenario.background
    yield from _twice("tasks", (task.id for task in scenario.tasks))
    yield from _twice("fixes", (exercise.id for exercise in exercises))
    yield from _twice("background.actors", (actor.name for actor in background.actors))
    yield from _twice("background.episodes", (episode.id for episode in background.episodes))
    yield from _twice("background.findings", (finding.id for finding in background.findings))
    if not scenario.fixes or not scenario.tempting_wrong_fixes:
        yield "fixes: there must be at least one fix and one tempting wrong fix"


def _twice(where: str, ids: Iterable[str]) -> Iterator[str]:
    return (f"{where}: {each!r} is there {times} times" for each, times in Counter(ids).items() if times > 1)


def _points(scenario: Scenario) -> Iterator[str]:
    total = sum(task.max_score for task in scenario.tasks)
    if total != FULL_MARKS:
        yield f"tasks: their points come to {total}, not to {FULL_MARKS}"
    for task in scenario.tasks:
        shares = sum(part.max_score for part in task.parts)
        if task.parts and shares != task.max_score:
            yield f"tasks.{task.id}: its parts come to {shares} points, not to {task.max_score}"


def _task(task: Task) -> Iterator[str]:
    where = f"tasks.{task.id}"
    yield from _twice(f"{where}.parts", (part.id for part in task.parts))
    if tuple(hint.rung for hint in task.hints) != RUNGS:
        yield f"{where}.hints: there must be three, {', '.join(RUNGS)}, in this order"
    for name, text in (("title", task.title), ("question", task.question), ("key", task.key)):
        if not text.strip():
            yield f"{where}.{name}: it is empty"
    for number, hint in enumerate(task.hints):
        if task.answered and task.key.lower() in hint.text.lower():
            yield f"{where}.hints.{number}: it gives the answer away"
        if not hint.text.strip():
            yield f"{where}.hints.{number}: it is empty"


def _spoilers(scenario: Scenario) -> Iterator[str]:
    """Yield texts that a trainee reads and that say, or could happen to say, what differs from seed to seed."""
    texts = {"assignment": scenario.assignment}
    for task in scenario.tasks:
        texts[f"tasks.{task.id}.question"] = task.question
        texts |= {f"tasks.{task.id}.hints.{number}": hint.text for number, hint in enumerate(task.hints)}
    for where, text in texts.items():
        for name in sorted(placeholders(text) & variant(scenario, "any").values.keys()):
            yield f"{where}: {{{name}}} differs from seed to seed, and a trainee would read it here"
        for address in ADDRESS.findall(text):
            if _may_be_drawn(address):
                yield f"{where}: {address} could be some seed's answer; invent one outside {BENCHMARK}"


def _may_be_drawn(address: str) -> bool:
    try:
        return IPv4Address(address) in BENCHMARK
    except AddressValueError:
        return False


def _background(scenario: Scenario) -> Iterator[str]:
    background = scenario.background
    actors = {(actor.kind, actor.name) for actor in background.actors}
    for actor in background.actors:
        if actor.kind == "role" and not actor.trusts:
            yield f"background.actors.{actor.name}: a role that trusts nobody cannot be assumed"
    keys: set[str] = set()
    for episode in sorted(background.episodes, key=lambda each: each.at):
        where = f"background.episodes.{episode.id}"
        keys.update(call.params["UserName"] for call in episode.calls if call.operation == "CreateAccessKey")
        if episode.by.startswith("user:") and episode.by.removeprefix("user:") not in keys:
            yield f"{where}.by: nobody created an access key for {episode.by} before"
        kind, _, name = episode.by.rpartition(":") if episode.by.startswith("user:") else ("role", "", episode.by)
        known = (kind, name.partition("/")[0]) in actors or episode.by == background.provisioner
        if not known or (kind == "role" and "/" not in name):
            yield f"{where}.by: {episode.by!r} is no actor's session (Role/Session) and no actor's user (user:NAME)"
        turns = (episode.repeat.times - 1) * episode.repeat.every if episode.repeat else 0 * episode.gap
        if episode.at + episode.spread + turns + (len(episode.calls) - 1) * episode.gap >= background.span:
            yield f"{where}: it goes on after the end of the history"
        if not episode.calls:
            yield f"{where}.calls: there are none"


def _finding(finding: SceneryFinding, scenario: Scenario) -> Iterator[str]:
    where = f"background.findings.{finding.id}"
    shape = finding.finding
    if not finding.first_seen <= finding.last_seen <= finding.updated < scenario.background.span:
        yield f"{where}: first seen, last seen and updated must follow one another before the end of the history"
    if not finding.first_seen <= finding.created <= finding.updated:
        yield f"{where}.created: it must lie between first seen and updated"
    missing = [key for key in ("Type", "Severity", "Title", "Description", "Resource", "Service") if key not in shape]
    if missing:
        yield f"{where}.finding: {', '.join(missing)} missing"
    elif shape["Resource"].get("ResourceType") == "Lambda":
        yield f"{where}: its resource is a Lambda function, and the only such finding must be the one that is earned"


def _calls(scenario: Scenario, files: Mapping[str, str]) -> Iterator[str]:
    """Yield calls that name a value nobody gives, or a folder that is not there."""
    given = variant(scenario, "any").values.keys()
    saved: set[str] = set()
    for episode in (provisioning(scenario.background), *scenario.background.episodes):
        where = f"background.episodes.{episode.id}"
        yield from _unknown(where, (episode.source_ip, episode.user_agent), given)
        yield from _sequence(where, episode.calls, given | {"turn"}, saved, files)
    for finding in scenario.background.findings:
        yield from _unknown(f"background.findings.{finding.id}", finding.finding, given | saved)
    exercises: tuple[Fix | TemptingWrongFix, ...] = (*scenario.fixes, *scenario.tempting_wrong_fixes)
    for exercise in exercises:
        yield from _exercise(exercise, given, files)


def _exercise(exercise: Fix | TemptingWrongFix, given: Iterable[str], files: Mapping[str, str]) -> Iterator[str]:
    where = f"{'fixes' if isinstance(exercise, Fix) else 'tempting_wrong_fixes'}.{exercise.id}"
    calls = [step for step in exercise.steps if isinstance(step, Call)]
    if not calls:
        yield f"{where}.steps: there are none"
    if not exercise.why.strip():
        yield f"{where}.why: it is empty"
    yield from _sequence(where, calls, set(given), set(), files)


def _sequence(
    where: str, calls: Iterable[Call], given: Iterable[str], saved: set[str], files: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is wrong with calls made one after another; what they save is added to `saved`."""
    for number, call in enumerate(calls):
        yield from _unknown(f"{where}.{number}", call.params, {*given, *saved})
        for folder in _zips(call.params):
            if not any(name.startswith(f"{folder}/") and name.endswith(".py") for name in files):
                yield f"{where}.{number}: the folder {folder!r} holds no code"
        saved.update(call.save)


def _unknown(where: str, value: object, given: Iterable[str]) -> Iterator[str]:
    return (f"{where}: nobody gives a value called {{{name}}}" for name in sorted(placeholders(value) - set(given)))


def _zips(value: object) -> Iterator[str]:
    """Yield the folders that `value` wants zipped, however deep."""
    if isinstance(value, Mapping):
        if value.keys() == {"$zip"}:
            yield value["$zip"]
        else:
            yield from (folder for each in value.values() for folder in _zips(each))
    elif isinstance(value, list | tuple):
        yield from (folder for each in value for folder in _zips(each))


def _pages(scenario: Scenario, files: Mapping[str, str]) -> Iterator[str]:
    for page in (*PAGES, *sorted(name for name in files if TRANSLATED.fullmatch(name))):
        if not files.get(page, "").strip():
            yield f"{page}: it is missing or empty"
            continue
        for target in LINK.findall(files[page]):
            if target.startswith(("#", "https://")):
                continue
            if target.partition("#")[0] not in files:
                yield f"{page}: the link to {target} leads nowhere"
        for task in scenario.tasks:
            if task.id not in files[page]:
                yield f"{page}: it does not mention the task {task.id}"
        drawn = placeholders(files[page]) & variant(scenario, "any").values.keys()
        yield from (f"{page}: {{{name}}} would not be filled in here" for name in sorted(drawn))
        yield from (f"{page}: {each} could be some seed's answer" for each in _drawable(files[page]))


def _half_languages(files: Mapping[str, str]) -> Iterator[str]:
    """Yield the files without which the others of their language are not used."""
    codes = {found[1] for name in files if (found := TRANSLATED.fullmatch(name) or TEXTS.fullmatch(name))}
    for code in sorted(codes):
        for name in (f"{code}.yaml", *(translated(page, code) for page in PAGES)):
            if name not in files:
                yield f"{name}: it is missing, so the other files of that language are not used"


def _drawable(text: str) -> Iterator[str]:
    return (address for address in ADDRESS.findall(text) if _may_be_drawn(address))
