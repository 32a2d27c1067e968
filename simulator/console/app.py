"""The console's WSGI application: sessions, forms' tokens, headers, errors; the pages are in `views`."""

import hmac
import itertools
import os
import re
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, redirect, render_template, request, session, url_for
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from scenario.errors import LabError
from simulator.console import links
from simulator.console.aws import ApiError, Caller, Page, Session
from simulator.console.guide import guide_html, scenario_language
from simulator.console.inside import Send
from simulator.console.lab import Explained, LabSide
from simulator.console.texts import LANGUAGES, in_language, language, t
from simulator.console.views import BLUEPRINTS
from simulator.console.web import Shared, is_instructor, own_path, render, shared
from simulator.home import Home, Running

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
OPEN = ("static", "front", "service_home")
"""What is served without a session: nothing of it comes from the lab."""
_NOT_FOUND = ("NotFound", "NoSuch", "DoesNotExist", "NotDiscovered")


def make_app(running: Running, home: Home, send: Send, caller: Caller | None = None) -> Flask:
    """Return the console of a running lab. `send` reaches its API; `caller` stands in for the trainee's session in tests."""
    app = Flask(__name__, static_folder="static", static_url_path="/console/static", template_folder="templates")
    app.secret_key = _kept_key(home)
    app.config.update(
        SESSION_COOKIE_NAME=f"lab_console_{running.lab_id}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=16 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=16 * 1024 * 1024,
        SEND_FILE_MAX_AGE_DEFAULT=0,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["breakable"] = _breakable
    app.extensions["lab"] = Shared(running=running, lab=LabSide(running, home, send))
    trainee = caller or Session(running, send, lambda: request.headers.get("User-Agent", "lab-console"))

    @app.before_request
    def begin() -> AnyResponse | str | None:
        g.page = Page(trainee)
        g.language = _language()
        g.numbers = itertools.count(1)
        return _admit()

    app.after_request(_headers)
    app.context_processor(_context)
    app.add_url_rule("/", "front", lambda: redirect("/console/lab"))
    app.add_url_rule("/<service>/home", "service_home", _service_home)
    app.add_url_rule("/console/", "console", lambda: redirect("/console/lab"))
    app.add_url_rule(
        "/console/go/<service>", "go", lambda service: redirect(links.target(service, request.args.get("to", "")))
    )
    app.add_url_rule("/console/language", "choose_language", _choose_language, methods=["POST"])
    app.register_error_handler(ApiError, _refused)
    app.register_error_handler(LabError, _broken)
    app.register_error_handler(HTTPException, _http)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def token_for(action: str) -> str:
    """Return the token of a form that posts to `action`, bound to the session and to that address."""
    key = str(session["sid"]).encode()
    return hmac.digest(key, action.partition("?")[0].encode(), "sha256").hex()


def _admit() -> AnyResponse | str | None:
    """Return an answer for a request that may not go on: without a session, or a form without its token."""
    if request.endpoint in OPEN:
        return None
    foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if "sid" not in session:
        if request.method not in ("GET", "HEAD") or request.headers.get("Sec-Fetch-Dest", "document") != "document":
            return _turned_away(t("There is no session here. Open the console anew."))
        return _open_session(foreign)
    if request.method in ("GET", "HEAD"):
        return None
    origin = request.headers.get("Origin")
    if foreign or (origin is not None and origin != request.host_url.rstrip("/")):
        return _turned_away(t("Forms of other sites are not accepted."))
    if not hmac.compare_digest(request.form.get("token", "").encode(), token_for(request.path).encode()):
        return _turned_away(t("This form has no valid token. Reload the page that it is on and send it again."))
    return None


def _open_session(foreign: bool) -> AnyResponse:
    """Return the page that begins a session and asks for the same address again.

    A link on another site brings no SameSite=Strict cookie, even where there is a session: then the page only asks again, from
    here, and no new cookie takes the old one's place.
    """
    if "opened" in request.args:
        return _turned_away(t("The console needs its cookie. Allow cookies for this address and open it anew."))
    if not foreign:
        session["sid"] = secrets.token_urlsafe(24)
    again = request.full_path if foreign else links.with_query(request.full_path.rstrip("?"), {"opened": "1"})
    return Response(render_template("start.html", again=again))


def _turned_away(message: str) -> AnyResponse:
    return Response(render_template("bare.html", title=t("Not allowed"), message=message), status=403)


def _service_home(service: str) -> AnyResponse | str:
    """Return the page at which a link of the AWS console arrives. Its fragment stays in the browser; a script hands it on."""
    if service not in links.HOMES:
        return Response(
            render_template("bare.html", title=t("Not found"), message=t("There is no page here.")), status=404
        )
    return render_template("home.html", service=service, homes=links.HOMES)


def _choose_language() -> AnyResponse:
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        session["language"] = chosen
    return redirect(own_path(request.form.get("back", "")), 303)


def _breakable(text: str) -> Markup:
    """Return a finding's type with places where a line may break. Everything of it is escaped."""
    return Markup("<wbr>").join(re.split(r"(?<=[:/.])", text))


def _language() -> str:
    chosen = session.get("language")
    return chosen if chosen in LANGUAGES else (request.accept_languages.best_match(list(LANGUAGES)) or "en")


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _context() -> dict[str, Any]:
    return {
        "t": t,
        "in_language": in_language,
        "language": language(),
        "languages": LANGUAGES,
        "token_for": token_for,
        "running": shared().running,
        "links": links,
        "asset": lambda name: url_for("static", filename=name),
        "lab_time": shared().lab.time,
        "here": request.full_path.rstrip("?"),
        "unique": lambda: f"f{next(g.numbers)}",
        "guide_shown": bool(session.get("guide")),
        "guide_html": guide_html,
        "scenario_language": scenario_language,
        "instructor": is_instructor(),
    }


def _refused(error: ApiError) -> AnyResponse:
    title = t("AWS answered with an error")
    if any(part in error.code for part in _NOT_FOUND):
        return _failed(404, title, t("What was asked for is not there, or not any more."), error.message, error.code)
    if "Denied" in error.code:
        return _failed(403, title, t("Your role is not allowed to do this."), error.message, error.code)
    return _failed(400, title, t("AWS did not accept the request."), error.message, error.code)


def _broken(error: LabError) -> AnyResponse:
    status = 400 if error.exit_code == 2 else 503
    if isinstance(error, Explained):
        return _failed(status, t("That did not work"), f"{error.happened}. {error.try_next}", error.detail)
    return _failed(status, t("That did not work"), t("lab doctor in a terminal tells what is wrong."), str(error))


def _http(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if status == HTTPStatus.NOT_FOUND:
        return _failed(404, t("Not found"), t("There is no page here."))
    return _failed(status, t("That did not work"), t("The console cannot answer this request."), str(error))


def _failed(status: int, title: str, message: str, detail: str = "", code: str = "") -> AnyResponse:
    """Return the page of an error. `detail` and `code` are words of AWS or of the lab: they are shown as they are, English.

    Without a session, or where the lab does not even tell its time, the page is one that needs neither.
    """
    told = {"title": title, "message": message, "detail": detail, "code": code}
    bare = Response(render_template("bare.html", **told), status=status)
    if "sid" not in session:
        return bare
    try:
        return render("error.html", status=status, **told)
    except LabError:
        return bare


def _kept_key(home: Home) -> bytes:
    """Return the key that signs cookies, kept in LAB_HOME so that sessions survive a restart."""
    path = Path(home.path) / "console.key"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) >= 32:
        return key
    key = secrets.token_bytes(32)
    partial = path.with_name(f"console.key.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    partial.replace(path)
    return key
