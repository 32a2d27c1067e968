"""The console: the module's pages in a browser, a plain client of the lab's own AWS API.

Every page is rendered here, from answers of the AWS API asked with the trainee's session (`aws.py`), so it shows nothing that
the API would not tell; what the lab keeps beside AWS (answers, hints, checks, lab time) comes from the control API
(`lab.py`). Each call that a page made is shown as the `aws` command that makes the same (`commands.py`). Views turn
answers into blocks (`blocks.py`), templates write blocks as HTML; scripts only add comfort, except that a link's fragment
never reaches a server: `static/route.js` hands it to `links.py`.

Adversaries: a page of another site (session cookie that is SameSite=Strict, a token in every form, Origin and
Sec-Fetch-Site, no framing; the gateway has refused foreign host names before), and text in the account that is full of
markup (templates escape everything, the policy of content runs no inline script). A hosted lab, with strangers in it, has
no console: a browser proves nothing about who it is.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from simulator.home import Home, Running

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def mounted(running: Running, home: Home, gateway: Wsgi) -> Wsgi:
    """Return the console of a lab that `gateway` serves. Flask and boto3 are imported at the first request, not before."""
    made: list[Wsgi] = []
    making = threading.Lock()

    def console(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with making:
            if not made:
                from simulator.console.app import make_app
                from simulator.console.inside import through

                made.append(make_app(running, home, through(gateway)))
        return made[0](environ, start_response)

    return console
