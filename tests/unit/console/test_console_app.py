"""The application's promises without a browser: sessions, tokens, headers, escaping, errors, languages."""

import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from markupsafe import escape

from scenario.errors import LabError
from scenario.load import load
from simulator.console import guide
from simulator.console.aws import ApiError
from tests.unit.console.fake_aws import RUNNING, Console

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;"
COOKIE = f"lab_console_{RUNNING.lab_id}"
RULE: dict[Any, Any] = {
    ("events", "DescribeRule"): {"Name": EVIL, "Arn": "arn", "State": "ENABLED", "Description": EVIL, "ScheduleExpression": "rate(1 day)"},
    ("events", "ListTargetsByRule"): {"Targets": [{"Id": EVIL, "Arn": EVIL, "Input": EVIL}]},
    ("events", "DisableRule"): {},
    ("events", "ListRules"): {"Rules": [{"Name": EVIL, "State": "ENABLED", "Description": EVIL}]},
}  # fmt: skip


def test_the_first_answer_begins_a_session_and_says_nothing(tmp_path: Path) -> None:
    """No call is made before the cookie came back."""
    console = Console(tmp_path, RULE)
    first = console.client.get("/console/events/rules")
    assert ESCAPED not in first.get_data(as_text=True) and console.aws.asked == []
    cookie = first.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert ESCAPED in console.get("/console/events/rules")


def test_a_form_without_its_own_token_changes_nothing(tmp_path: Path) -> None:
    """A missing, foreign or other form's token, another origin, no session."""
    console = Console(tmp_path, RULE)
    action = "/console/events/rules/r/disable"
    token = console.token("/console/events/rules/r", action)
    delete = console.token("/console/events/rules/r", "/console/events/rules/r/delete")
    stranger = Console(tmp_path, RULE)
    assert stranger.client.post(action, data={"token": token}).status_code == 403
    for data, headers in (
        ({}, {}),
        ({"token": "x"}, {}),
        ({"token": delete}, {}),
        ({"token": token}, {"Origin": "http://other.example"}),
        ({"token": token}, {"Sec-Fetch-Site": "same-site"}),
    ):
        assert console.client.post(action, data=data, headers=headers).status_code == 403
    assert "DisableRule" not in {operation for _, operation, _ in console.aws.asked + stranger.aws.asked}
    assert console.client.post(action, data={"token": token}, headers={"Origin": "http://localhost"}).status_code == 303
    assert console.aws.asked[-1][1] == "DisableRule"


def test_every_post_of_the_application_is_behind_the_token(tmp_path: Path) -> None:
    """No address takes a form without it."""
    console = Console(tmp_path)
    console.get("/console/lab")
    addresses = [rule for rule in console.app.url_map.iter_rules() if "POST" in (rule.methods or set())]
    assert len(addresses) > 30
    for rule in addresses:
        path = re.sub(r"<any\((\w+).*?>", r"\1", rule.rule)
        answer = console.client.post(re.sub(r"<[^>]*>", "x", path), data={})
        assert answer.status_code == 403, rule.rule
    assert console.aws.asked == []


def test_no_get_changes_anything() -> None:
    """Views that are read call reads only: whatever changes is a form."""
    reads = "List|Get|Describe|Lookup|Head"
    changing = re.compile(rf'api\(\)\.\w+\(\s*"\w+",\s*f?"(?!{reads})')
    import simulator.console.views as views

    for path in Path(views.__file__).parent.glob("*.py"):
        for piece in re.split(r"\n(?=@pages\.)", path.read_text("utf-8"))[1:]:
            if piece.startswith("@pages.get"):
                assert not changing.search(piece.partition("\n\n\n")[0]), (path.name, piece[:80])


def test_text_of_the_account_is_text(tmp_path: Path) -> None:
    """In cells, facts, headings, titles, forms' addresses and commands."""
    console = Console(tmp_path, RULE)
    for path in ("/console/events/rules", "/console/events/rules/r"):
        page = console.get(path)
        assert (
            "<script>alert" not in page
            and "<img src=x" not in page
            and "onerror=alert(2)>" not in page.replace("&gt;", "")
        )
        assert ESCAPED in page


def test_an_error_of_aws_is_told_in_its_words(tmp_path: Path) -> None:
    """Code and message, escaped, with a status that fits, and the command that was refused."""

    def refuse(_: Any) -> dict[str, Any]:
        raise ApiError("ResourceNotFoundException", EVIL)

    console = Console(tmp_path, {("events", "DescribeRule"): refuse})
    console.get("/console/lab")
    answer = console.client.get("/console/events/rules/gone")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 404
    assert "ResourceNotFoundException" in page and ESCAPED in page and "aws events describe-rule --name gone" in page


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("NoSuchEntityException", 404, "Không tìm thấy thứ được hỏi"),
        ("AccessDeniedException", 403, "Vai trò của bạn không được phép làm việc này."),
        ("ThrottlingException", 400, "AWS không chấp nhận yêu cầu này."),
    ],
)
def test_an_error_of_aws_is_told_in_the_language_too(tmp_path: Path, code: str, status: int, told: str) -> None:
    """What it comes to is in the page's language; AWS's own words stay, marked as English."""

    def refuse(_: Any) -> dict[str, Any]:
        raise ApiError(code, "Rate exceeded")

    console = Console(tmp_path, {("events", "DescribeRule"): refuse})
    console.get("/console/lab")
    answer = console.client.get("/console/events/rules/gone", headers={"Accept-Language": "vi"})
    page = answer.get_data(as_text=True)
    assert (answer.status_code, told in page, "AWS trả về lỗi" in page) == (status, True, True)
    assert '<p lang="en">Rate exceeded</p>' in page and f'<p class="code" lang="en">{code}</p>' in page


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("lab", 503, "Lab không làm được điều mà trang này yêu cầu. Lệnh lab doctor"),
        ("lab", 503, '<p lang="en">The lab failed at this request.</p>'),
        ("events/rules/gone", 403, "Vai trò của bạn không được phép làm việc này."),
        ("no-such-page", 404, "Không có trang nào ở đây."),
    ],
)
def test_a_lab_that_does_not_answer_is_told(tmp_path: Path, path: str, status: int, told: str) -> None:
    """Not even its time, which every page shows: on a page that needs nothing of it, in the reader's language."""
    console = Console(tmp_path)
    console.get("/console/lab")
    console.lab.broken = "The lab failed at this request."
    answer = console.client.get(f"/console/{path}", headers={"Accept-Language": "vi"})
    page = answer.get_data(as_text=True)
    assert (answer.status_code, '<html lang="vi">' in page) == (status, True)
    assert told in page


def test_a_fault_of_the_kits_files_is_told_in_the_language_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that everybody can read, around what was found."""

    def damaged(*_: Any) -> str:
        raise LabError("reading the scenario", "guide.md cannot be read", "Mend the file.")

    monkeypatch.setattr(guide, "page", damaged)
    guide._rendered.cache_clear()
    console = Console(tmp_path)
    page = console.get("/console/lab/guide", **{"Accept-Language": "vi"})
    assert "Lệnh lab doctor trong cửa sổ lệnh cho biết có gì không ổn." in page
    assert '<p lang="en">reading the scenario: guide.md cannot be read. Mend the file.</p>' in page


def test_headers_forbid_what_no_page_needs(tmp_path: Path) -> None:
    """No script but ours, no frame, no cache, no sniffing, on every kind of answer."""
    console = Console(tmp_path, RULE)
    console.get("/console/lab")
    for path in (
        "/console/lab",
        "/guardduty/home",
        "/console/nothing",
        "/console/static/console.js",
        "/console/go/lambda",
    ):
        with console.client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert console.client.get("/console/lab").headers["Cache-Control"] == "no-store"
    page = console.get("/console/events/rules/r")
    assert "<style" not in page and " style=" not in page and not re.search(r"<script(?![^>]* src=)", page)
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]*", page) == []


def test_sessions_and_forms_survive_a_new_process(tmp_path: Path) -> None:
    """The key that signs cookies is in LAB_HOME, for its owner only."""
    console = Console(tmp_path, RULE)
    token = console.token("/console/events/rules/r", "/console/events/rules/r/disable")
    cookie = console.client.get_cookie(COOKIE)
    assert cookie is not None
    again = Console(tmp_path, RULE)
    again.client.set_cookie(COOKIE, cookie.value)
    assert again.client.post("/console/events/rules/r/disable", data={"token": token}).status_code == 303
    assert (tmp_path / "console.key").stat().st_mode & 0o077 == 0


def test_an_action_tells_the_command_that_did_it_once(tmp_path: Path) -> None:
    """On the page after it, and not again when that is loaded anew."""
    console = Console(tmp_path, RULE)
    console.post("/console/events/rules/r", "/console/events/rules/r/disable")
    told = console.get("/console/events/rules/r")
    assert "The rule was disabled." in told and "aws events disable-rule --name r" in told
    assert "The rule was disabled." not in console.get("/console/events/rules/r")


def test_the_language_is_the_browsers_until_one_is_chosen(tmp_path: Path) -> None:
    """English and Vietnamese; whatever else is asked for gets English."""
    console = Console(tmp_path)
    assert 'lang="en"' in console.get("/console/lab", **{"Accept-Language": "fr"})
    assert 'lang="vi"' in console.get("/console/lab", **{"Accept-Language": "vi,en;q=0.5"})
    console.post("/console/lab", "/console/language", language="vi", back="/console/lab")
    assert "Nhiệm vụ" in console.get("/console/lab", **{"Accept-Language": "en"})


@pytest.mark.parametrize("code", ["en", "vi"])
def test_the_scenarios_texts_are_in_the_language_of_the_page(tmp_path: Path, code: str) -> None:
    """Assignment, tasks, hints taken and guide, each marked as what it is for whoever has it read aloud."""
    console = Console(tmp_path)
    accept = {"Accept-Language": code}
    console.post("/console/lab", "/console/lab/hint", task="creator")
    lab, task = console.get("/console/lab", **accept), load(RUNNING.scenario, language=code).tasks[2]
    assert f'<p lang="{code}">{escape(task.question)}</p>' in lab
    assert f'<div class="hint" lang="{code}">{escape(task.hints[0].text)}</div>' in lab
    assert str(escape(task.hints[1].text)) not in lab
    assert {"en": "You have been assigned", "vi": "Bạn được giao"}[code] in lab
    title = {"en": "Steps 1 and 2: the finding", "vi": "Bước 1 và 2: phát hiện"}[code]
    assert title in console.get("/console/lab/guide", **accept) and title not in lab
    console.post("/console/lab", "/console/lab/guide-panel", back="/console/lab")
    assert title in console.get("/console/lab", **accept)


def test_a_scenario_without_the_pages_language_is_in_english_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The console's own words stay Vietnamese; the scenario's are marked as English."""
    monkeypatch.setattr(guide, "languages", lambda _: ("en",))
    page = Console(tmp_path).get("/console/lab", **{"Accept-Language": "vi"})
    assert "Nhiệm vụ" in page and '<p lang="en">Who created the function?' in page


@pytest.mark.parametrize(
    "back", ["https://other.example/", "//other.example/", "/\\other.example", "javascript:alert(1)", ""]
)
def test_no_form_leads_to_another_site(tmp_path: Path, back: str) -> None:
    """Where to go next is the form's word, but only within the console."""
    answer = Console(tmp_path).post("/console/lab", "/console/language", language="vi", back=back)
    assert answer.headers["Location"] == "/console/lab"


def test_the_cookie_is_needed_and_said_to_be(tmp_path: Path) -> None:
    """A browser that keeps none is told, instead of being sent round for ever."""
    client = Console(tmp_path).app.test_client(use_cookies=False)
    assert client.get("/console/lab").status_code == 200
    answer = client.get("/console/lab?opened=1")
    assert answer.status_code == 403 and "cookie" in answer.get_data(as_text=True)


def test_hints_come_one_by_one_and_are_counted(tmp_path: Path) -> None:
    """Without saying how many are left; after the last there is no button for more."""
    console = Console(tmp_path)
    assert "GuardDuty keeps findings under a detector" not in console.get("/console/lab")
    for _ in range(3):
        console.post("/console/lab", "/console/lab/hint", task="function-name")
    page = console.get("/console/lab")
    assert console.lab.hints == {"function-name": 3}
    assert page.count('name="task" value="function-name"') == 0
    console.post("/console/lab", "/console/lab/hint", task="function-name")
    assert console.lab.hints == {"function-name": 3}


def test_lab_time_moves_by_the_choices_given(tmp_path: Path) -> None:
    """And by no other."""
    console = Console(tmp_path)
    assert console.post("/console/lab", "/console/lab/advance", by="30m", back="/console/lab").status_code == 303
    assert console.post("/console/lab", "/console/lab/advance", by="9000d", back="/console/lab").status_code == 404
    assert console.lab.advanced == [1800]


def test_the_instructors_pages_exist_only_with_the_control_token(tmp_path: Path) -> None:
    """No address shows anything without it; showing the key is recorded."""
    console = Console(tmp_path)
    page = console.get("/console/instructor")
    assert "Journal entries" not in page and "traffic-simulation" not in page
    wrong = console.post("/console/instructor", "/console/instructor/enter", control="guess")
    assert wrong.status_code == 403
    assert console.post("/console/instructor", "/console/instructor/enter", control=RUNNING.token).status_code == 303
    assert "Journal entries" in console.get("/console/instructor")
    shown = console.post("/console/instructor", "/console/instructor/key")
    assert "WSSystemRole" in shown.get_data(as_text=True) and console.lab.keys == 1


def test_the_instructors_page_is_in_the_language_too(tmp_path: Path) -> None:
    """The scenario's page with its tables, how checks ended, and what the lab says of what would happen next."""
    console = Console(tmp_path)
    console.post("/console/instructor", "/console/instructor/enter", control=RUNNING.token)
    console.lab.attempts = [{"at": "2026-11-24T09:14:00Z", "score": 15, "statuses": {"function-name": "passed"}}]
    console.lab.outlook["why"] = ["traffic-simulation: a run ended: memory", "new and unknown"]
    console.lab.outlook["connections"] = [
        {
            "at": "2026-11-24T10:30:00Z", "function_arn": "arn:aws:lambda:us-east-1:111122223333:function:f", "ip": "",
            "port": 443, "protocol": "TCP", "permitted": True, "why": "a function outside a VPC reaches every address",
        }
    ]  # fmt: skip
    page = console.get("/console/instructor", **{"Accept-Language": "vi"})
    for text in (
        "hàm nằm ngoài VPC đến được mọi địa chỉ",
        "hết bộ nhớ; new and unknown",
        "<td>Đạt",
        "<td>Chưa kiểm tra",
    ):
        assert text in page, text
    assert '<article class="box prose" lang="vi">' in page and "<th>vì sao</th>" in page
    assert "Run sheet" not in page and "Run sheet" in console.get("/console/instructor", **{"Accept-Language": "en"})


@pytest.mark.parametrize("text", ["", "-1", "x", "1e9", "9" * 40, "²", "2026-11-24", "2026-11-24T00:00:00", EVIL])
def test_nonsense_in_an_address_is_no_defect(tmp_path: Path, text: str) -> None:
    """Numbers, moments, states and tabs are anybody's text."""
    replies: dict[Any, Any] = {
        ("s3", "HeadObject"): {"ContentLength": 10},
        ("s3", "GetObject"): {"Body": io.BytesIO(b"0123456789")},
        ("cloudtrail", "LookupEvents"): {"Events": []},
        ("config", "GetResourceConfigHistory"): {"configurationItems": []},
    }
    console = Console(tmp_path, replies)
    console.get("/console/lab")
    for path in (
        "s3/object?bucket=b&key=k&from=",
        "config/timeline?resourceId=r&resourceType=T&until=",
        "config/timeline?resourceId=r&resourceType=T&skip=",
        "cloudtrail/events?key=",
    ):
        assert console.client.get(f"/console/{path}{quote(text)}").status_code == 200, path
