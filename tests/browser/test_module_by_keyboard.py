"""The same way without a mouse: Tab, Enter, Space and typing suffice from the findings page to a passed check."""

from selenium.webdriver.common.keys import Keys

from tests.browser.walking import Browser, RunningLab


def test_the_text_by_keyboard_alone(lab: RunningLab, browser: Browser) -> None:
    """Nothing on the way needs a pointer."""
    browser.open("/guardduty/home?#/findings?macros=current")
    browser.tab_to("Add filter criteria").send_keys(Keys.ENTER)
    browser.enter("Resource type")
    # The values have the focus already: on to Lambda.
    browser.enter("Lambda")
    browser.enter("UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom")
    # The panel that was opened has the focus.
    browser.until(lambda: browser.driver.switch_to.active_element.get_attribute("id") == "finding-title")
    address = browser.value("IP address").split()[0]
    browser.enter("Timeline in AWS Config")
    while "whole history" not in browser.text():
        before = len(browser.driver.find_elements("css selector", ".line > li"))
        browser.tab_to("Load more").send_keys(Keys.ENTER)
        browser.until(lambda shown=before: len(browser.driver.find_elements("css selector", ".line > li")) > shown)
    # The focus is on the first row that was added; the oldest CloudTrail event is below it.
    browser.tab_to("CreateFunction20150331").send_keys(Keys.ENTER)
    browser.enter("CloudTrail CreateFunction20150331")
    browser.enter("CreateFunction20150331")
    assert "WSSystemRole" in browser.text("section.source pre")
    browser.enter("traffic-simulation")
    browser.enter("Delete")
    browser.tab_to("To confirm deletion").send_keys("delete")
    browser.enter("Delete")
    assert "successfully deleted" in browser.text("[role=status]")
    browser.enter("Assignment and tasks")
    for task, text in (
        ("Name the function", "traffic-simulation"),
        ("Name the address", address),
        ("Name who", "WSSystemRole"),
    ):
        browser.tab_to(f"Your answer: {task}").send_keys(text)
    browser.enter("Check")
    assert "Passed: all tasks are done." in browser.text()
