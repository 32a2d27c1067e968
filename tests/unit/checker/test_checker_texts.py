"""All that the grader says is in every catalog, and nothing that it writes goes past them."""

import ast
import dataclasses
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

import checker.rules
from checker import debrief, messages
from checker import report as writing
from checker.cli import Language
from checker.evidence import Evidence
from checker.grade import WORDS, Answers, Report, grade
from checker.messages import HEARD, Message, as_is, catalog, heard, in_order, say, speaker
from checker.rules import Sample, Status, explain, proven, temptations
from checker.rules.samples import IP, NAME, NOW, connection, event, lab, outlook
from scenario.load import languages, load
from scenario.model import Scenario

ROOM = Path(messages.__file__).parent
SCENARIO = "lambda-malicious-ip"
CODES = [each.value for each in Language if each is not Language.EN]
TASK_OF = {"function_name": "function-name", "malicious_ip": "malicious-ip", "creator": "creator"}
RIGHT = {"function-name": NAME, "malicious-ip": IP, "creator": "WSSystemRole"}
UNTRANSLATED = {"code-sha256"}
"""What AWS's pages call the same in every language."""
_HOLE = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TECHNICAL = re.compile(
    r"\b(?:[a-z]+-[a-z]+(?:-[a-z]+)*(?<!case-sensitive)|[A-Za-z]*[a-z][A-Z]\w*|lab (?:advance|check|hint|reset)|[A-Z]{2,})s?\b"
)
"""Commands, operations, fields and abbreviations."""


def _said() -> Counter[str]:
    """Return the literals that are handed to `say` anywhere in the room."""
    found: Counter[str] = Counter()
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="say"), args=[ast.Constant(value=str(text))]):
                    found[text] += 1
                case ast.Call(func=ast.Name(id="say")):
                    found["not a literal"] += 1
    return found


def _technical(text: str) -> set[str]:
    return {word.removesuffix("s") for word in _TECHNICAL.findall(_HOLE.sub("", text))}


def _needs_words(text: str) -> bool:
    return bool(_WORD.search(_HOLE.sub("", text)))


def test_the_catalogs_are_the_languages_that_the_command_offers() -> None:
    """Of the grader and of the scenario, which are read side by side."""
    assert {path.stem for path in (ROOM / "texts").iterdir()} == set(CODES)
    assert set(languages(SCENARIO)) == {each.value for each in Language}


def test_a_message_is_made_of_a_literal() -> None:
    """Else no catalog could be compared; the one exception says again what is in `HEARD` already."""
    assert _said()["not a literal"] == 1


@pytest.mark.parametrize("code", CODES)
def test_a_catalog_has_every_text_and_no_other(code: str) -> None:
    """What is missing would show in English; what is left over is nobody's."""
    assert set(catalog(code)) == {text for text in _said() if _needs_words(text)} - {"not a literal"}


@pytest.mark.parametrize("code", CODES)
def test_a_translation_keeps_placeholders_and_technical_words(code: str) -> None:
    """It loses no value, invents none, and leaves commands, operations, fields and abbreviations as AWS writes them."""
    for english, text in catalog(code).items():
        assert text.strip() == text and unicodedata.is_normalized("NFC", text), english
        assert (text != english) or english in UNTRANSLATED, english
        assert sorted(_HOLE.findall(text)) == sorted(_HOLE.findall(english)), english
        if english not in UNTRANSLATED | {"cloudtrail-event", "not-run"}:
            assert _technical(english) <= _technical(text), english


def test_every_vietnamese_text_is_vietnamese() -> None:
    """Each has a letter that English has not: none was left as it was, none lost its marks."""
    marked = re.compile("[ăâđêôơưạảãáàấầẩẫậắằẳẵặẹẻẽéèếềểễệỉịĩíìọỏõóòốồổỗộớờởỡợụủũúùứừửữựỳỵỷỹý]", re.IGNORECASE)
    assert {english for english, text in catalog("vi").items() if not marked.search(text)} == UNTRANSLATED


def test_english_is_what_stands_in_the_code() -> None:
    """A message as a string, values and messages within it, in order."""
    inner = in_order((say("a {what}", what="x"), as_is("{y}")), by="; ")
    assert str(say("Broken: {inner}, {count}.", inner=inner, count=2)) == "Broken: a x; {y}, 2."


def test_a_value_is_never_a_template() -> None:
    """Braces in a name of the account stay what they are."""
    assert str(say("the role {name} is deleted", name="{name}{0}")) == "the role {name}{0} is deleted"
    assert speaker("vi")(say("the role {name} is deleted", name="{x}")) == "vai trò {x} đã bị xóa"


# --- what is written for somebody


def _rules() -> Iterator[tuple[str, ModuleType]]:
    for each in iter_modules(checker.rules.__path__):
        module = import_module(f"checker.rules.{each.name}")
        if hasattr(module, "SAMPLES"):
            yield each.name, module


def _cases() -> Iterator[tuple[Evidence, Answers]]:
    """Yield labs in which every rule says each of the things that its samples are about, and the report the rest."""
    samples: list[tuple[str, Sample]] = [(name, sample) for name, rule in _rules() for sample in rule.SAMPLES]
    for name, sample in samples:
        answers = {**RIGHT, TASK_OF[name]: sample.answer} if name in TASK_OF else RIGHT
        for ahead in (outlook(), outlook(connection())):
            yield lab(**{"outlook": ahead, **sample.changes}), Answers(texts=answers)
    for why in HEARD:
        reason = str(dataclasses.replace(why, values=tuple((hole, "xyz") for hole in _HOLE.findall(why.english))))
        yield lab(outlook=outlook(determinable=False, why=(reason,))), Answers(texts=RIGHT)
    earlier = {
        "at": NOW.isoformat(), "answers": RIGHT, "score": 10, "points": {"remediation": 25},
        "statuses": {"function-name": "failed", "malicious-ip": "not-run", "remediation": "passed"},
    }  # fmt: skip
    mine = (
        event("DeleteRule", minutes=1, error="AccessDenied"),
        event("DeleteRule", minutes=2),
        event("LookupEvents", minutes=70),
    )
    gone = lab(
        mine=mine,
        outlook=outlook(),
        function=None,
        rules=(),
        gaps=(say("Only the newest {count} of your calls were read.", count=5000),),
    )
    yield (
        gone,
        Answers(texts=RIGHT, attempts=(earlier, earlier), hints={"creator": 2}, key_used_at="2026-11-24T10:00:00Z"),
    )
    yield dataclasses.replace(lab(), outlook=None), Answers()
    yield (
        lab(outlook=outlook(connection()), now=NOW),
        Answers(texts={"creator": "linh"}, attempts=({**earlier, "answers": {"creator": "x"}},) * 3),
    )
    yield lab(outlook=outlook(determinable=False, ask_again=NOW)), Answers()


def _reports(scenario: Scenario) -> Iterator[tuple[Report, Evidence, Answers]]:
    for evidence, answers in _cases():
        for required in (False, True):
            yield grade(scenario, evidence, answers, lab_id="l1", require_proof=required), evidence, answers


def _shown(report: Report, scenario: Scenario, evidence: Evidence, answers: Answers, code: str) -> str:
    """Return all words that somebody reads of a report, in any format, without markup and what is for programs."""
    said = speaker(code)
    page = debrief.html(report, scenario, evidence, answers, code)
    page = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    document = writing.to_json(report, said)
    spoken = [document["progress"], document["remarks"]]
    for task in document["tasks"]:
        spoken += [[each["title"], each["why"], each["next"] or ""] for each in (task, *task["parts"])]
        spoken.append(task["remarks"])
    junit = re.findall(r'message="([^"]*)"|>([^<>]+)<', writing.junit(report, said))
    return "\n".join((page, writing.text(report, said), str(spoken), str(junit)))


def _strings(value: Any) -> Iterator[str]:
    """Yield the texts in a record, however deep: what the account and the trainee said."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Message):
        yield from (text for _, each in value.values for text in _strings(each))
    elif dataclasses.is_dataclass(value):
        yield from (text for each in dataclasses.fields(value) for text in _strings(getattr(value, each.name)))
    elif isinstance(value, Mapping):
        yield from (text for each in value.values() for text in _strings(each))
    elif isinstance(value, tuple | list | frozenset):
        yield from (text for each in value for text in _strings(each))


@pytest.fixture
def hollow(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A language in which every text of the catalog is its placeholders and nothing else."""
    silent = {english: " ".join(f"{{{hole}}}" for hole in _HOLE.findall(english)) for english in catalog("vi")}
    monkeypatch.setattr(messages, "catalog", lambda code: silent if code == "hollow" else {})
    speaker.cache_clear()
    yield "hollow"
    speaker.cache_clear()


def test_no_report_says_anything_past_the_catalogs(hollow: str) -> None:
    """With all texts taken away, the words left are the account's, the trainee's and the frameworks' names."""
    found = load(SCENARIO, tasks_only=True)
    tasks = tuple(
        dataclasses.replace(
            task, title="", question="", parts=tuple(dataclasses.replace(part, title="") for part in task.parts)
        )
        for task in found.tasks
    )
    scenario = dataclasses.replace(found, title="", tasks=tasks, references=())
    left = {"UTC", "NIST", "CSF", "RS", "AN", "MI", "CO", "SHA", "simulator", "amazonaws", "com", "None"}
    for report, evidence, answers in _reports(scenario):
        known = set(_WORD.findall(" ".join([*_strings(evidence), *_strings(answers)])))
        said = set(_WORD.findall(_shown(report, scenario, evidence, answers, hollow)))
        assert said - known - left == set()


def _phrases(english: str) -> Iterator[str]:
    """Yield the runs of three and more words between the placeholders of an English text."""
    return (piece.strip() for piece in _HOLE.split(english)[::2] if len(_WORD.findall(piece)) > 2)


@pytest.mark.parametrize("code", CODES)
def test_no_report_in_another_language_holds_an_english_text(code: str) -> None:
    """In any format, for every reason of every rule."""
    scenario = load(SCENARIO, tasks_only=True, language=code)
    english = [phrase for text in catalog(code) for phrase in _phrases(text)]
    english += [part.title for task in load(SCENARIO, tasks_only=True).tasks for part in task.parts]
    seen: set[str] = set()
    for report, evidence, answers in _reports(scenario):
        shown = " ".join(_shown(report, scenario, evidence, answers, code).split())
        assert [phrase for phrase in english if phrase in shown] == []
        original = " ".join(_shown(report, scenario, evidence, answers, "en").split())
        seen.update(phrase for phrase in english if phrase in original)
    assert len(seen) > 150, "the same labs must say much in English, else nothing was looked for"


def test_all_languages_tell_the_same() -> None:
    """Statuses, kinds, points and evidence are the same; only texts differ."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: bare(each)
                for key, each in value.items()
                if key not in ("title", "why", "next", "remarks", "progress")
            }
        return [bare(each) for each in value] if isinstance(value, list) else value

    english, other = load(SCENARIO, tasks_only=True), load(SCENARIO, tasks_only=True, language="vi")
    for (one, _, _), (two, _, _) in zip(_reports(english), _reports(other), strict=True):
        assert bare(writing.to_json(one)) == bare(writing.to_json(two, speaker("vi")))


@pytest.mark.parametrize("code", [each.value for each in Language])
def test_points_stand_below_one_another(code: str) -> None:
    """On a terminal, however long the language's titles and words are."""
    scenario = load(SCENARIO, tasks_only=True, language=code)
    report = grade(scenario, lab(outlook=outlook(), function=None), Answers(texts=RIGHT))
    lines = [line for line in writing.text(report, speaker(code)).splitlines() if re.search(r" \d+/\d+$", line)]
    assert len(lines) == 8
    assert len({len(line) for line in lines if not line.startswith(" ")}) == 1
    assert len({len(line) for line in lines if line.startswith(" ")}) == 1


# --- the tables that reports look words up in


def test_every_kind_that_is_shown_has_a_word() -> None:
    """Kinds of evidence, of rows, proofs and statuses: a new one without a word would break the debrief."""
    cited = set()
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="Citation"), keywords=[ast.keyword(arg="kind", value=ast.Constant(value=kind)), *_]
                ):
                    cited.add(kind)
    assert set(debrief.CITED) == cited
    assert set(debrief.PROOFS) == set(proven.Proof)
    assert set(WORDS) == set(Status)
    assert len(temptations.LESSONS) > 15 and len(explain.STATES) > 5


def test_a_worlds_reason_is_known_again_with_its_values() -> None:
    """Each of them; and one that nobody foresaw is said as it came."""
    for each in HEARD:
        values = {hole: f"the-{hole}" for hole in _HOLE.findall(each.english)}
        message = say(each.english, **values)
        assert heard(str(message)) == message
        assert speaker("vi")(heard(str(message))) != str(message)
    assert str(heard("too {slow}")) == "too {slow}"


def test_a_check_in_every_language_is_one_check(world: Any) -> None:
    """The account is asked once, one attempt is kept, and each document is what its language alone gives."""
    from checker.cli import Format, run

    _, every = run(world, format=Format.JSON, every_language=True)
    assert len(world.memory.attempts()) == 1
    asked = len(world.aws.calls)
    documents = {code: json.loads(text) for code, text in json.loads(every).items()}
    assert set(documents) == {each.value for each in Language}
    for code, document in documents.items():
        (world.memory.path).unlink()
        _, alone = run(world, format=Format.JSON, language=Language(code))
        assert document == json.loads(alone)
    assert len(world.aws.calls) == asked * (1 + len(documents))
