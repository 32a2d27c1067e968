"""Why something would happen next, or cannot be told, comes as text from elsewhere: grader and console know each of those texts, to
say it in any language.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import checker
import simulator
from checker.messages import HEARD, as_is, heard
from checker.messages import catalog as graders
from simulator.console import reasons, texts

SIMULATOR, CHECKER = Path(simulator.__file__).parent, Path(checker.__file__).parent
SOURCES = (
    SIMULATOR / "control.py", SIMULATOR / "foresight.py", SIMULATOR / "functions" / "environments.py",
    SIMULATOR / "functions" / "child" / "keeper.py", CHECKER / "cloud.py",
)  # fmt: skip
NAMES = ("why", "uncertain")


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts that an expression may come to, with `x` for each value in them."""
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(str(each.value) if isinstance(each, ast.Constant) else "x" for each in values)
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one)
            yield from _texts(other)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            yield from (text for part in parts for text in _texts(part))


def _reasons(path: Path) -> Iterator[str]:
    """Yield what a module says where it sets `why`, appends to one, or returns one from a rehearsal."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in NAMES:
                yield from _texts(value)
            case ast.keyword(arg="why", value=value):
                yield from _texts(value)
            case ast.Call(func=ast.Attribute(attr="append", value=ast.Attribute(attr="why")), args=[value]):
                yield from _texts(value)
            case ast.FunctionDef(name="_rehearse_once" | "_rehearse_from", body=body):
                for each in (each for part in body for each in ast.walk(part) if isinstance(each, ast.Return)):
                    values = each.value.elts if isinstance(each.value, ast.Tuple) else [each.value]
                    yield from (text for value in values if value for text in _texts(value))


def _ends() -> set[str]:
    """Return the words for how a run may end: each stands in a reason of its own."""
    source = SOURCES[3].read_text("utf-8")
    words = re.findall(r'Over\("(\w+)"\)|return "(\w+)"', source)
    return {one or other for one, other in words} - {"timeout"}  # which is told as the time used up


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_grader_knows_every_reason_of_a_world(path: Path) -> None:
    """A reason that is reworded, or new, is one that a Vietnamese reader would get in English."""
    found = set(_reasons(path)) - {"x: x"}  # a function before the reason that another module gave
    assert found
    if "a run ended: x" in found:
        found = found - {"a run ended: x"} | {f"a run ended: {each}" for each in _ends()}
    unknown = {
        reason for reason in found if as_is(reason) == heard(reason) and as_is(f"x: {reason}") == heard(f"x: {reason}")
    }
    assert unknown == set()


@pytest.fixture
def in_vietnamese(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console answers a page in Vietnamese."""
    monkeypatch.setattr(texts, "language", lambda: "vi")


@pytest.mark.usefixtures("in_vietnamese")
@pytest.mark.parametrize("path", [path for path in SOURCES if SIMULATOR in path.parents], ids=lambda path: path.stem)
def test_the_console_knows_every_reason_of_the_lab(path: Path) -> None:
    """The instructor's page shows the outlook as the lab tells it."""
    found = set(_reasons(path)) - {"x: x", "a run ended: x"}
    assert [
        each for each in found if reasons.reason(each) == each and reasons.reason(f"x: {each}") == f"x: {each}"
    ] == []


@pytest.mark.usefixtures("in_vietnamese")
def test_the_console_knows_what_may_become_of_a_connection() -> None:
    """Each verdict on a packet."""
    found = set()
    for node in ast.walk(ast.parse((SIMULATOR / "network.py").read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="_no_flow" | "_rejected" | "_stuck"), args=[value]):
                found |= set(_texts(value))
            case ast.Call(func=ast.Name(id="Verdict"), keywords=given):
                found |= {text for each in given if each.arg == "why" for text in _texts(each.value)}
    assert len(found) > 20
    assert [each for each in found if reasons.reason(each) == each] == []


def test_console_and_grader_say_the_same_of_the_same() -> None:
    """A reason that both know, all that the lab has for an outlook, reads alike in both."""
    shared = {each.english for each in HEARD} & set(reasons.REASONS)
    assert len(shared) == 11
    assert {each: texts.catalog("vi")[each] for each in shared} == {each: graders("vi")[each] for each in shared}


@pytest.mark.usefixtures("in_vietnamese")
def test_a_reason_keeps_the_values_in_it() -> None:
    """Ids of the account, whatever they hold; what nobody foresaw comes back as it is."""
    assert reasons.reason("{x}: python2.7 is not run in the lab") == graders("vi")[
        "{function}: {runtime} is not run in the lab"
    ].format(function="{x}", runtime="python2.7")
    assert reasons.reason("the route to nat-1 is a black hole") == "tuyến đến nat-1 là ngõ cụt (blackhole)"
    assert reasons.reason("something else") == "something else"
