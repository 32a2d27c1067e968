"""The AWS CLI in a process of its own that is asked many times: to start it costs several times what a call does.

It is never imported where the lab's code is tested: awscli puts its own copy of botocore in botocore's place.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any


class AwsCli:
    """The process, started. It ends when nobody is left who could ask it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def run(self, arguments: list[str], environ: Mapping[str, str]) -> Any:
        """Return the JSON that `aws ARGUMENTS` prints in these surroundings, None for nothing. It must go well."""
        code, printed, complaint = self._asked({"arguments": arguments, "environ": dict(environ)})
        assert code == 0, f"aws {arguments}: {code}\n{complaint}"
        return json.loads(printed) if printed.strip() else None

    def shorthand(self, word: str) -> Any:
        """Return what the CLI takes a parameter in its shorthand for."""
        return self._asked({"shorthand": word})

    def _asked(self, question: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@cache
def aws_cli() -> AwsCli:
    """Return the one that a test process has."""
    return AwsCli()


def _serve() -> None:
    """Answer questions, one a line, until there are no more."""
    import io
    import os
    from contextlib import redirect_stderr, redirect_stdout

    from awscli.clidriver import create_clidriver
    from awscli.shorthand import ShorthandParser

    kept = {name: os.environ[name] for name in ("AWS_DATA_PATH", "PATH", "HOME", "SYSTEMROOT") if name in os.environ}
    answers = sys.stdout
    for line in sys.stdin:
        question = json.loads(line)
        if "shorthand" in question:
            answer = ShorthandParser().parse(question["shorthand"])
        else:
            os.environ.clear()
            os.environ.update({**kept, **question["environ"]})
            printed, complaint = io.StringIO(), io.StringIO()
            with redirect_stdout(printed), redirect_stderr(complaint):
                code = create_clidriver().main(question["arguments"])
            answer = (code, printed.getvalue(), complaint.getvalue())
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
