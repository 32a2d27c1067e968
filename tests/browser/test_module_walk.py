"""The module's text, step by step, in a browser: from the findings page to the deleted function and a passed check."""

import json

from tests.browser.walking import Browser, RunningLab

TIMELINE = "/config/home?#/resources/timeline?resourceId=traffic-simulation&resourceName=traffic-simulation"


def test_the_text_by_mouse(lab: RunningLab, browser: Browser) -> None:
    """Every step of the text works as it is written, and leads to a passed check."""
    # 1. Visit the Findings page in GuardDuty.
    browser.open("/guardduty/home?#/findings?macros=current")
    assert browser.text("h1") == "Findings"
    assert browser.driver.current_url.endswith("/console/guardduty/findings?macros=current")
    assert len(browser.driver.find_elements("css selector", "tbody tr")) > 5
    # 2. Add filter criteria and select Resource type and then Lambda.
    browser.click("Add filter criteria", loads=False)
    browser.click("Resource type")
    browser.click("Lambda")
    assert "Resource type = Lambda" in browser.text()
    rows = browser.driver.find_elements("css selector", "tbody tr")
    # 3. Notice there is a finding for a Lambda function that is calling a malicious IP.
    assert len(rows) == 1
    browser.click("UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom", within="table")
    # 4. Can you locate the name of the Lambda function and the IP address it is calling from the Threat IP list?
    name, address = browser.value("Function name").split()[0], browser.value("IP address").split()[0]
    assert "S3BadIpAddressList" in browser.value("Threat list name")
    assert "aws guardduty list-findings" in browser.text(".commands")
    # 5. Open AWS Config and navigate to the Timeline for the Lambda function, or follow this link.
    browser.open(TIMELINE)
    assert "Timeline of traffic-simulation" in browser.text("h1")
    # 6. Click Load more until the full history is showing. Expand the oldest CloudTrail Event; under View event, click CloudTrail.
    while "whole history" not in browser.text():
        before = len(browser.driver.find_elements("css selector", ".line > li"))
        browser.click("Load more", loads=False)
        browser.until(lambda shown=before: len(browser.driver.find_elements("css selector", ".line > li")) > shown)
    rows = browser.driver.find_elements("css selector", ".line > li.trail")
    assert len(rows) + len(browser.driver.find_elements("css selector", ".line > li.state")) > 11
    oldest = rows[-1]
    oldest.find_element("css selector", "summary").click()
    assert oldest.text.count("System") == 1
    view = oldest.find_element("css selector", "td a")
    assert view.text == ["CloudTrail", "CreateFunction20150331"][0] or "CloudTrail" in view.text
    view.click()
    browser.turned(view)
    # 7. Click the name of the event. It should start with "CreateFunction…".
    browser.click("CreateFunction", within="table")
    assert browser.text("h1").startswith("CreateFunction")
    record = json.loads(browser.text("section.source pre"))
    creator = record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"]
    assert creator == "WSSystemRole"
    assert record["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"
    assert record["requestParameters"]["code"]["s3Bucket"]
    # 8. You may optionally delete the Lambda function from the Lambda console.
    browser.click("traffic-simulation", within="table")
    browser.click("Delete")
    browser.fill("To confirm deletion", "delete")
    browser.click("Delete", within="form")
    assert "successfully deleted" in browser.text("[role=status]")
    assert "aws lambda delete-function --function-name traffic-simulation" in browser.text("[role=status]")
    # And hand in.
    browser.open("/console/lab")
    for label, text in (("Name the function", name), ("Name the address", address), ("Name who created", creator)):
        field = browser.driver.find_element("xpath", f"//label[contains(., '{label}')]").get_attribute("for")
        browser.driver.find_element("id", str(field)).send_keys(text)
    browser.click("Check", within="form[@id='check']")
    assert "Passed: all tasks are done." in browser.text()
    assert "15/15" in browser.text("#function-name") and "30/30" in browser.text("#creator")
    assert lab.command("check", "--no-input", code=0)
