"""A catalog folder -> Scenario, and the folder's files. The room's only reader of the disk.

`load` builds the records directly: `lab check` calls it on every run, and importing pydantic alone costs more than
reading the file. `checked` does the same through pydantic and names the path of a bad key; lint, tests and whoever
edits a scenario use that. The two agree (tests/unit/scenario).

YAML is read by a safe loader with one addition: a plain scalar such as `8h47m` is a duration.

The texts that are read may be there in other languages too: `vi.yaml` beside `scenario.yaml` (the title, the
assignment, each task's title, question, hints by rung and its parts' titles by id, and the references' titles by id),
`guide.vi.md` beside `guide.md`, `instructor.vi.md` beside `instructor.md`. All else, ids, points and keys among it, is in
one place only and the same in every language.
"""

import io
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from scenario.errors import LabError
from scenario.model import (
    Actor,
    Background,
    Call,
    Episode,
    Fix,
    Hint,
    Part,
    Reference,
    Repeat,
    Scenario,
    SceneryFinding,
    Task,
    TemptingWrongFix,
    Variant,
    Wait,
)
from scenario.steps import fill_known

if TYPE_CHECKING:
    from pydantic import TypeAdapter

RECORDS: tuple[Any, ...] = (
    Scenario, Task, Hint, Part, Reference, Background, Actor, Episode, Call, Repeat, SceneryFinding,
    Fix, TemptingWrongFix, Wait,
)  # fmt: skip
"""The records that a scenario's files are read into."""

PAGES = ("guide.md", "instructor.md")
TEXTS = frozenset({".md", ".py", ".txt", ".yaml"})
CATALOG = Path(__file__).parent / "catalog"

_DURATION = re.compile(r"^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """The safe loader (in C where PyYAML was built with it) that reads durations and refuses a key given twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return the mapping of `node`. PyYAML alone would keep the last of two equal keys and say nothing."""
        seen: list[Any] = []
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} is there twice", key.start_mark)
            seen.append(key.value)
        return super().construct_mapping(node, deep=deep)


def _duration(loader: Any, node: Any) -> timedelta:
    """Return the duration of a scalar such as `1d2h3m4s`."""
    text = loader.construct_scalar(node)
    match = _DURATION.match(text)
    if match is None:
        raise yaml.constructor.ConstructorError(None, None, f"{text!r} is no duration", node.start_mark)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


_Loader.add_constructor("!duration", _duration)
_Loader.add_implicit_resolver(
    "!duration", re.compile(r"^(?=\d)(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?$(?<![0-9])"), list("0123456789")
)


def catalog() -> tuple[str, ...]:
    """Return the ids of the scenarios that the kit holds, in order. An id is its folder's name."""
    return tuple(sorted(path.parent.name for path in CATALOG.glob("*/scenario.yaml")))


def languages(scenario_id: str) -> tuple[str, ...]:
    """Return the codes of the languages that the scenario's texts are in: `en`, then the others in order.

    A language counts where all of its files are there, so that nobody gets a half of the texts in each.
    Raises LabError where there is no such scenario.
    """
    folder = _folder(scenario_id)
    codes = sorted(path.stem for path in folder.glob("[a-z][a-z].yaml"))
    return ("en", *(code for code in codes if all((folder / translated(name, code)).is_file() for name in PAGES)))


def translated(name: str, language: str) -> str:
    """Return the name of a page's file in a language, such as `guide.vi.md` of `guide.md`."""
    return name if language == "en" else name.replace(".md", f".{language}.md")


def load(scenario_id: str, *, tasks_only: bool = False, language: str = "en") -> Scenario:
    """Return the scenario `scenario_id`.

    With `tasks_only` its background and its fixes are left empty, which is all that grading needs and quicker.
    The trainee's texts are in `language` where it is one of `languages(scenario_id)`, in English otherwise.
    Raises LabError where there is no such scenario or its files are not what they should be.
    """
    raw = _raw(scenario_id, tasks_only=tasks_only)
    try:
        return _scenario(_said(scenario_id, raw, language))
    except (TypeError, KeyError, AttributeError) as error:
        raise _damaged(scenario_id, f"{error}") from error


def checked(scenario_id: str, language: str = "en") -> Scenario:
    """Return the scenario `scenario_id`, every key and type of it checked, its texts in `language` as with `load`.

    Raises LabError that names the path of what is wrong, such as `tasks.0.hints.2.text`.
    """
    from pydantic import ValidationError

    try:
        return _strict().validate_python(_said(scenario_id, _raw(scenario_id), language))
    except ValidationError as error:
        faults = (f"at {'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        raise _damaged(scenario_id, "; ".join(faults)) from error


def _strict() -> "TypeAdapter[Scenario]":
    """Return pydantic's reader of scenarios, which refuses a key that no record has."""
    from pydantic import ConfigDict, TypeAdapter

    for record in RECORDS:
        record.__pydantic_config__ = ConfigDict(extra="forbid")
    return TypeAdapter(Scenario)


def page(scenario_id: str, name: str, language: str = "en") -> str:
    """Return a page of the scenario's folder as text, one of `PAGES`.

    It is in `language` where that is one of `languages(scenario_id)`, in English otherwise.
    """
    return _read(scenario_id, translated(name, language if language in languages(scenario_id) else "en"))


def threat_list(scenario_id: str, variant: Variant) -> bytes:
    """Return the threat list's file as it is uploaded: plain text, an address or range a line."""
    return fill_known(_read(scenario_id, "threat-list/threatlist.txt"), variant.values).encode()


def function_zip(scenario_id: str, variant: Variant) -> bytes:
    """Return the code of the function that calls the address, as it is uploaded, with this variant's values in it."""
    return zipped(scenario_id, variant, "function")


def zipped(scenario_id: str, variant: Variant, folder: str) -> bytes:
    """Return a folder of the scenario as a zip archive. The same files and variant give the same bytes.

    Raises LabError where the scenario has no such folder.
    """
    import zipfile  # not on the path of `lab check`, and slow to import

    root = _folder(scenario_id) / folder
    files = sorted(path for path in root.rglob("*.py") if path.is_file())
    if not files:
        raise _damaged(scenario_id, f"the folder {folder!r} holds no code")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # readable by Lambda's user, on any platform
            target.writestr(entry, fill_known(path.read_text("utf-8"), variant.values).encode())
    return archive.getvalue()


def files(scenario_id: str) -> dict[str, str]:
    """Return every text of the scenario's folder by its path in it, with forward slashes."""
    root = _folder(scenario_id)
    paths = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix in TEXTS)
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in paths}


def _folder(scenario_id: str) -> Path:
    """Return the scenario's folder. Only names of the catalog lead anywhere, so no id can name another place."""
    if scenario_id not in catalog():
        raise LabError(
            f"opening the scenario {scenario_id!r}",
            "there is none of that name",
            f"Choose one of: {', '.join(catalog())}.",
            exit_code=2,
        )
    return CATALOG / scenario_id


def _read(scenario_id: str, name: str) -> str:
    path = _folder(scenario_id) / name
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(scenario_id, f"{name} cannot be read ({error})") from error


def _yaml(scenario_id: str, name: str) -> dict[str, Any]:
    try:
        value = yaml.load(_read(scenario_id, name), Loader=_Loader)  # noqa: S506  (a subclass of the safe loader)
    except yaml.YAMLError as error:
        raise _damaged(scenario_id, f"{name} is not the YAML that it should be ({error})") from error
    if not isinstance(value, dict):
        raise _damaged(scenario_id, f"{name} is not a mapping")
    return value


def _raw(scenario_id: str, *, tasks_only: bool = False) -> dict[str, Any]:
    """Return the scenario's files as one mapping, whose keys are the record's."""
    raw = _yaml(scenario_id, "scenario.yaml")
    if tasks_only:
        return {**raw, **_NOTHING}
    return {**raw, **_yaml(scenario_id, "fixes.yaml"), "background": _yaml(scenario_id, "background.yaml")}


def _said(scenario_id: str, raw: dict[str, Any], language: str) -> dict[str, Any]:
    """Return `raw` with the trainee's texts in `language`, unchanged where the scenario has none in it.

    Raises LabError where that language's file has not the same tasks and rungs, or a key too many or too few.
    """
    if language == "en" or language not in languages(scenario_id):
        return raw
    name = f"{language}.yaml"
    texts = _yaml(scenario_id, name)
    try:
        _same(scenario_id, name, texts, ("title", "assignment", "tasks", "references"))
        _same(scenario_id, f"{name}: tasks", texts["tasks"], [task["id"] for task in raw["tasks"]])
        tasks = tuple(_said_task(scenario_id, name, task, texts["tasks"][task["id"]]) for task in raw["tasks"])
        _same(scenario_id, f"{name}: references", texts["references"], [each["id"] for each in raw["references"]])
        references = tuple({**each, "title": texts["references"][each["id"]]} for each in raw["references"])
    except (TypeError, KeyError, AttributeError) as error:
        raise _damaged(scenario_id, f"{name} has not the shape that it should have ({error})") from error
    return {**raw, **texts, "tasks": tasks, "references": references}


def _said_task(scenario_id: str, name: str, task: dict[str, Any], texts: dict[str, Any]) -> dict[str, Any]:
    """Return a task of the English file with its texts of the file `name`; hints and parts stay in the English order."""
    where = f"{name}: tasks.{task['id']}"
    _same(scenario_id, where, texts, ("title", "question", "hints", *(("parts",) if task.get("parts") else ())))
    _same(scenario_id, f"{where}.hints", texts["hints"], [hint["rung"] for hint in task["hints"]])
    hints = tuple({"rung": hint["rung"], "text": texts["hints"][hint["rung"]]} for hint in task["hints"])
    _same(scenario_id, f"{where}.parts", texts.get("parts", {}), [part["id"] for part in task.get("parts", ())])
    parts = tuple({**part, "title": texts["parts"][part["id"]]} for part in task.get("parts", ()))
    return {**task, **texts, "hints": hints, "parts": parts}


def _same(scenario_id: str, where: str, texts: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Raise LabError unless `texts` has exactly `keys`."""
    differing = sorted(texts.keys() ^ set(keys))
    if differing:
        raise _damaged(scenario_id, f"{where} has too many or too few of: {', '.join(differing)}")


_NOTHING: Mapping[str, Any] = {
    "fixes": (),
    "tempting_wrong_fixes": (),
    "background": {
        "span": timedelta(0),
        "settled": timedelta(0),
        "provisioner": "",
        "provisioned": timedelta(0),
        "actors": (),
        "episodes": (),
        "findings": (),
    },
}


def _damaged(scenario_id: str, happened: str) -> LabError:
    return LabError(
        f"reading the scenario {scenario_id!r}",
        happened,
        "Mend the file, or install the kit again; `lab scenario lint` says more.",
    )


def _scenario(raw: Mapping[str, Any]) -> Scenario:
    return Scenario(
        **{
            **raw,
            "tasks": tuple(_task(each) for each in raw["tasks"]),
            "references": tuple(Reference(**each) for each in raw["references"]),
            "background": _background(raw["background"]),
            "fixes": tuple(Fix(**{**each, "steps": _steps(each)}) for each in raw["fixes"]),
            "tempting_wrong_fixes": tuple(
                TemptingWrongFix(**{**each, "steps": _steps(each)}) for each in raw["tempting_wrong_fixes"]
            ),
        }
    )


def _task(raw: Mapping[str, Any]) -> Task:
    hints = tuple(Hint(**each) for each in raw["hints"])
    return Task(**{**raw, "hints": hints, "parts": tuple(Part(**each) for each in raw.get("parts", ()))})


def _steps(raw: Mapping[str, Any]) -> tuple[Call | Wait, ...]:
    return tuple(Wait(**each) if "advance" in each else Call(**each) for each in raw["steps"])


def _background(raw: Mapping[str, Any]) -> Background:
    return Background(
        **{
            **raw,
            "actors": tuple(_actor(each) for each in raw["actors"]),
            "episodes": tuple(_episode(each) for each in raw["episodes"]),
            "findings": tuple(SceneryFinding(**each) for each in raw["findings"]),
        }
    )


def _actor(raw: Mapping[str, Any]) -> Actor:
    return Actor(**{**raw, "trusts": tuple(raw.get("trusts", ())), "statements": tuple(raw.get("statements", ()))})


def _episode(raw: Mapping[str, Any]) -> Episode:
    repeat = Repeat(**raw["repeat"]) if "repeat" in raw else None
    return Episode(**{**raw, "calls": tuple(Call(**each) for each in raw["calls"]), "repeat": repeat})
