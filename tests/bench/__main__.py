"""`make bench`: the cost budget of the lab, each line a ratio measured side by side in this run. No line fails the build.

A machine that does other things at the same time shows in both columns; read the ratios, not the milliseconds. A word after
`python -m tests.bench` measures only what has it in its name.
"""

import os
import sys
import time
from collections.abc import Callable

from tests.bench import check, console, growth, journal, reads, start
from tests.bench.measure import Row, heading, table

MEASURES: tuple[Callable[[], list[Row]], ...] = tuple(
    measure for module in (start, reads, check, journal, growth, console) for measure in module.MEASURES
)


def main(wanted: list[str]) -> int:
    """Measure everything and print the table. Returns 1 where something could not be measured."""
    # Installed programs have their bytecode at hand, the peers' here too: a setting that keeps Python from
    # writing it would have every start of the lab compiled anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    rows: list[Row] = []
    failed = []
    print(heading(), file=sys.stderr)
    for measure in MEASURES:
        name = f"{measure.__module__.rpartition('.')[2]}.{measure.__name__}"
        if wanted and not any(word in name for word in wanted):
            continue
        began = time.monotonic()
        try:
            found = measure()
        except Exception as failure:  # the others are measured all the same
            failed.append(f"{name} could not be measured: {failure!r}")
            continue
        rows += found
        print(f"{table(found)}\n  ({name} took {time.monotonic() - began:.0f} s)", file=sys.stderr)
    print("\n".join([heading(), table(rows), *failed]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
