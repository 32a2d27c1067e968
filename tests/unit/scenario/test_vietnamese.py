"""The Vietnamese texts belong to the same lab as the English ones: same tasks, same commands, same secrets kept."""

import re
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scenario import load
from scenario.cli import commands as commands_of_authors
from scenario.errors import LabError
from scenario.lint import ADDRESS, problems, translation
from scenario.model import Scenario
from scenario.steps import placeholders
from scenario.variant import BENCHMARK, variant

SCENARIO_ID = "lambda-malicious-ip"
ENGLISH = load.load(SCENARIO_ID)
VIETNAMESE = load.load(SCENARIO_ID, language="vi")
GUIDE = load.page(SCENARIO_ID, "guide.md")
GUIDE_VI = load.page(SCENARIO_ID, "guide.md", language="vi")
PAGES = {name: (load.page(SCENARIO_ID, name), load.page(SCENARIO_ID, name, language="vi")) for name in load.PAGES}
_VIETNAMESE_LETTER = re.compile("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog of our own with a copy of the scenario; its folder."""
    folder = tmp_path / SCENARIO_ID
    for name, text in load.files(SCENARIO_ID).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    monkeypatch.setattr(load, "CATALOG", tmp_path)
    return folder


def texts(scenario: Scenario) -> dict[str, str]:
    """Return what a trainee reads, by where it is."""
    found = {"title": scenario.title, "assignment": scenario.assignment}
    for task in scenario.tasks:
        found |= {f"{task.id}.title": task.title, f"{task.id}.question": task.question}
        found |= {f"{task.id}.{hint.rung}": hint.text for hint in task.hints}
        found |= {f"{task.id}.{part.id}": part.title for part in task.parts}
    return found | {each.id: each.title for each in scenario.references}


def code(markdown: str) -> list[str]:
    """Return the lines of the code blocks, in order."""
    return [line for line in markdown.splitlines() if line.startswith("    ")]


def commands(text: str) -> list[str]:
    """Return the command lines of a hint, in order, without the remarks and results beside them."""
    lines = (line.strip() for line in text.splitlines())
    return [re.split(r" {2,}| -> ", line)[0] for line in lines if line.startswith(("aws ", "lab "))]


def test_only_the_texts_differ() -> None:
    """Ids, rungs, points, keys, the background and the fixes are the same."""
    tasks = tuple(
        replace(
            said,
            title=task.title,
            question=task.question,
            hints=tuple(replace(one, text=other.text) for one, other in zip(said.hints, task.hints, strict=True)),
            parts=tuple(replace(one, title=other.title) for one, other in zip(said.parts, task.parts, strict=True)),
        )
        for said, task in zip(VIETNAMESE.tasks, ENGLISH.tasks, strict=True)
    )
    references = tuple(
        replace(said, title=each.title) for said, each in zip(VIETNAMESE.references, ENGLISH.references, strict=True)
    )
    assert (
        replace(VIETNAMESE, title=ENGLISH.title, assignment=ENGLISH.assignment, tasks=tasks, references=references)
        == ENGLISH
    )


@pytest.mark.parametrize("where", texts(ENGLISH))
def test_a_text_is_there_in_vietnamese(where: str) -> None:
    """None was left in English, and none has lost a command."""
    said = texts(VIETNAMESE)[where]
    assert said != texts(ENGLISH)[where] and _VIETNAMESE_LETTER.search(said)
    assert commands(said) == commands(texts(ENGLISH)[where])


@pytest.mark.parametrize("name", load.PAGES)
def test_a_page_gives_the_same_commands_in_the_same_order(name: str) -> None:
    """Code blocks line by line; names within sentences as often, in whatever order the sentence needs."""
    english, said = PAGES[name]
    assert code(said) == code(english)
    assert Counter(re.findall(r"`[^`]+`", said)) == Counter(re.findall(r"`[^`]+`", english))
    assert len(code(GUIDE)) > 20


@pytest.mark.parametrize("name", load.PAGES)
def test_a_page_has_the_same_structure(name: str) -> None:
    """Headings with their levels and task ids, lists, and tables with the same names in each row; points and scores."""

    def shape(page: str) -> list[tuple[str, int, list[str]]]:
        lines = [line for line in page.splitlines() if re.match(r"#|- |\||\d+\. ", line)]
        return [
            (line.split(" ")[0], line.count("|"), sorted(re.findall(r"`[^`]+`", line)) if line[0] in "#|" else [])
            for line in lines
        ]

    english, said = PAGES[name]
    assert shape(said) == shape(english)
    assert re.findall(r"\(\d+\)", said) == re.findall(r"\(\d+\)", english)
    marked = [line for line in said.splitlines() if len(line.split()) > 8 and not _VIETNAMESE_LETTER.search(line)]
    assert [line for line in marked if not line.startswith("    ")] == []


def test_both_guides_quote_the_module() -> None:
    """Its sentences stay in English: the trainee has them before their eyes."""

    def quotes(guide: str) -> list[str]:
        return [" ".join(quote.split()) for quote in re.findall(r"^\*([^*]+)\*", guide, re.MULTILINE)]

    assert len(quotes(GUIDE)) == 7
    assert quotes(GUIDE_VI) == quotes(GUIDE)


@pytest.mark.parametrize("seed", ["any", "other"])
def test_nothing_of_a_seed_is_said(seed: str) -> None:
    """No placeholder, no address that a seed could draw, no value that one did draw."""
    values = variant(ENGLISH, seed).values
    for text in (*(said for _, said in PAGES.values()), *texts(VIETNAMESE).values()):
        assert not placeholders(text) & values.keys()
        assert not [each for each in ADDRESS.findall(text) if each in map(str, BENCHMARK.hosts())]
        assert not [each for name, each in values.items() if name != "region" and each in text]


def test_an_author_has_nothing_to_mend_in_vietnamese() -> None:
    """Lint reads the Vietnamese texts with the same eyes."""
    assert problems(load.checked(SCENARIO_ID, "vi"), SCENARIO_ID, load.files(SCENARIO_ID)) == ()
    assert translation(ENGLISH, VIETNAMESE) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Nêu địa chỉ", '" "', "tasks.malicious-ip.title: it is empty"),
        ("Nêu địa chỉ", "Name the address", "tasks.malicious-ip.title: it is still in English"),
        ("Nêu địa chỉ", "Nêu {address}", "tasks.malicious-ip.title: its placeholders are not those of the English text"),
        ("aws events disable-rule", "aws events delete-rule", "tasks.remediation.hints.call: its commands are not those of the English text"),
        ("Không có gì khác bị làm hỏng", "Nothing else is broken", "tasks.remediation.parts.collateral: it is still in English"),
        ("Sự cố được loại bỏ", '""', "references.RS.MI-02: it is empty"),
    ],
)  # fmt: skip
def test_lint_tells_a_bad_translation(copy: Path, old: str, new: str, said: str) -> None:
    """What the loader cannot refuse: a text that says nothing, still English, or another one's values and commands."""
    path = copy / "vi.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert said in translation(ENGLISH, load.checked(SCENARIO_ID, "vi"))
    done = CliRunner().invoke(commands_of_authors(lambda *_: nullcontext()), ["lint", SCENARIO_ID])  # type: ignore[arg-type]
    assert (done.exit_code, f"vi.yaml: {said}" in done.stdout.splitlines()) == (1, True)


def test_lint_reads_translated_guides() -> None:
    """A task that only the English guide mentions is a problem of the other."""
    files = {**load.files(SCENARIO_ID), "guide.vi.md": "function-name malicious-ip creator 198.18.0.9"}
    found = problems(ENGLISH, SCENARIO_ID, files)
    assert "guide.vi.md: it does not mention the task remediation" in found
    assert "guide.vi.md: 198.18.0.9 could be some seed's answer" in found


def test_a_language_that_is_not_there_falls_back_to_english() -> None:
    """Unknown codes, and names that lead elsewhere, give the English texts."""
    assert load.languages(SCENARIO_ID) == ("en", "vi")
    for language in ("fr", "", "../vi", "scenario"):
        assert load.load(SCENARIO_ID, language=language) == ENGLISH
        for name, (english, _) in PAGES.items():
            assert load.page(SCENARIO_ID, name, language) == english


@pytest.mark.parametrize("name", ["vi.yaml", "guide.vi.md", "instructor.vi.md"])
def test_half_a_language_is_none(copy: Path, name: str) -> None:
    """With one of its files missing all the texts are in English."""
    (copy / name).unlink()
    assert load.languages(SCENARIO_ID) == ("en",)
    assert load.load(SCENARIO_ID, language="vi") == ENGLISH
    assert load.page(SCENARIO_ID, "guide.md", "vi") == GUIDE
    said = f"{name}: it is missing, so the other files of that language are not used"
    assert problems(ENGLISH, SCENARIO_ID, load.files(SCENARIO_ID)) == (said,)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  creator:", "  creators:", "creator, creators"),
        ("      where:", "      there:", "there, where"),
        ("    title:", "    key:", "key, title"),
        ("assignment:", "finding_type:", "assignment, finding_type"),
        ("      verified:", "      verify:", "verified, verify"),
        ("  RS.MI-02:", "  RS.MI-03:", "RS.MI-02, RS.MI-03"),
        ("tasks:", "tasks: []\nmore:", "more"),
    ],
)
def test_a_translation_that_does_not_fit_is_refused(copy: Path, old: str, new: str, said: str) -> None:
    """It can neither leave a text out nor change anything but texts, and the fault is named."""
    path = copy / "vi.yaml"
    text = path.read_text("utf-8")
    assert f"\n{old}" in text
    path.write_text(text.replace(f"\n{old}", f"\n{new}", 1), "utf-8")
    with pytest.raises(LabError, match=rf"vi\.yaml.*{said}"):
        load.load(SCENARIO_ID, language="vi")
