"""In Vietnamese nothing that the kit says is in English: on every page, in a check's reasons and in the debrief."""

import html
import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

from checker.messages import catalog as graders
from scenario.load import load
from simulator.console.texts import catalog as consoles
from tests.browser.axe import grave
from tests.browser.test_console_accessibility import _pages
from tests.browser.walking import Browser, RunningLab


def _english() -> list[str]:
    """Return the English texts of console, grader and scenario that are long enough to be told from AWS's own words.

    What a Vietnamese text keeps in brackets or as a name (`Load more`) is not among them.
    """
    said = {**consoles("vi"), **graders("vi")}
    scenario = load("lambda-malicious-ip", tasks_only=True)
    texts = [*said, scenario.title, *(line for line in scenario.assignment.splitlines())]
    for task in scenario.tasks:
        texts += [task.title, task.question, *(part.title for part in task.parts)]
    pieces = {piece.strip(" .:") for text in texts for piece in re.split(r"\{\w+\}", text)}
    kept = "\n".join(said.values())
    return sorted(piece for piece in pieces if len(piece.split()) > 2 and piece not in kept)


ENGLISH = _english()


def _in_english(source: str) -> list[str]:
    words = " ".join(html.unescape(source).split())
    return [text for text in ENGLISH if text in words]


def _problems(browser: Browser) -> list[str]:
    """Return what of the page is in English, or wider than a narrow and a wide window."""
    found = _in_english(str(browser.driver.page_source))
    for width in (360, 1280):
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        wider = browser.driver.execute_script(f"return {over}")
        found += [f"{wider} pixels wider than {width}"] if wider > 0 else []
    return found


def test_a_check_and_a_debrief_are_in_vietnamese(lab: RunningLab, browser: Browser, tmp_path: Path) -> None:
    """Reasons and what to do next after a wrong answer, the refusal of an unreadable one, and the debrief; in English
    as soon as the reader wants it.
    """
    browser.open("/console/lab")
    browser.click("Tiếng Việt", within="header")
    browser.fill("Câu trả lời của bạn: Nêu địa chỉ", "nonsense")
    browser.click("Kiểm tra", within="form[@id='check']")
    assert "'nonsense' không phải địa chỉ IP" in browser.text() and _problems(browser) == []
    browser.open("/console/lab")
    browser.fill("Câu trả lời của bạn: Nêu tên hàm", "traffic-simulation-canary")
    browser.fill("Câu trả lời của bạn: Nêu người", "System")
    browser.click("Kiểm tra", within="form[@id='check']")
    assert "Một cái tên trông giống không phải là bằng chứng." in browser.text("#function-name")
    assert "một quy tắc EventBridge tiếp tục gọi nó" in browser.text("#remediation")
    assert "Không có gì khác bị làm hỏng: 0/5" in browser.text("#remediation")
    assert (_problems(browser), grave(browser.driver)) == ([], [])
    browser.click("English", within="header")
    assert "A name that looks alike is not evidence." in browser.text("#function-name")
    browser.click("Tiếng Việt", within="header")
    browser.open("/console/lab/debrief")
    browser.click("Lập bản tổng kết")
    assert _problems(browser) == []
    browser.open("/console/lab")  # which still shows what the check has found: a debrief is no check
    assert "Một cái tên trông giống không phải là bằng chứng." in browser.text("#function-name")
    assert "Đã kiểm tra 1 lần" in browser.text("#check")
    browser.driver.get(f"{lab.url}/console/lab/debrief/page")
    browser.until(lambda: "Nhịp độ" in browser.text("body"))
    assert _problems(browser) == []
    # axe runs in no document that lets no script run, so it is shown the same one as a file.
    alone = tmp_path / "debrief.html"
    alone.write_text(str(browser.driver.page_source), "utf-8")
    browser.driver.get(alone.as_uri())
    assert grave(browser.driver) == []


def test_the_instructors_page_is_in_vietnamese(lab: RunningLab, browser: Browser) -> None:
    """What would happen next and why, and the scenario's page with its tables, on narrow windows too."""
    browser.open("/console/lab")
    browser.click("Tiếng Việt", within="header")
    browser.open("/console/instructor")
    browser.fill("Mã điều khiển", str(lab.server()["token"]))
    browser.click("Mở", within="main")
    assert "hàm nằm ngoài VPC đến được mọi địa chỉ" in browser.text() and "Kịch bản buổi học" in browser.text(".prose")
    assert len(browser.driver.find_elements("css selector", ".prose table")) == 3
    assert (_problems(browser), grave(browser.driver)) == ([], [])


def test_no_page_says_anything_in_english(lab: RunningLab) -> None:
    """Every kind of page, past what AWS's names are; the same search finds much on one page in English."""
    reader = build_opener(ProxyHandler({}), HTTPCookieProcessor())

    def page(path: str, language: str) -> str:
        request = Request(f"{lab.url}{path}", headers={"Accept-Language": language})
        try:
            return str(reader.open(request, timeout=60).read().decode())
        except HTTPError as told:  # a page too: of what is not there, or not for trainees
            return told.read().decode()

    page("/console/lab", "en")
    assert len(_in_english(page("/console/lab", "en"))) > 10
    for path in _pages(lab):
        source = page(path, "vi")
        assert '<html lang="vi">' in source, path
        assert (path, _in_english(source)) == (path, [])
