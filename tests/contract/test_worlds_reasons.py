"""Why an outlook cannot be told comes as text from another room: the grader knows each of those texts, to say it in any language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import checker
import simulator
from checker.messages import as_is, heard

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
