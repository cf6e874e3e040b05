"""The main job: what a browser and a server send ends as rows that SQL counts."""

import subprocess
from pathlib import Path

from playwright.async_api import Page

from tests.e2e.harness.configuration import WAREHOUSE, WRITE_KEY, Plan
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.waiting import until

COUNTED = "select event, count(*) as n from tracks group by 1"
PLAN = Plan(
    destinations=WAREHOUSE + '[destinations.console]\ntype = "console"\n',
    more="[demo]\nenabled = true\n",
)
ORDER = '{"event": "Order Completed", "userId": "u-1", "properties": {"total": 52.9, "currency": "EUR"}}'

EXPECTED = {
    "product_list_viewed": 1,
    "product_viewed": 1,
    "product_added": 1,
    "cart_viewed": 1,
    "signed_up": 1,
    "checkout_started": 1,
    "order_completed": 2,
}


async def test_a_server_and_a_browser_end_in_rows(make_daemon: MakeDaemon, page: Page, tmp_path: Path):
    daemon = make_daemon(PLAN)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
    await daemon.start()

    answered = subprocess.run(
        ["curl", "--fail-with-body", "-sS", "-u", f"{WRITE_KEY}:", f"{daemon.url}/v1/track", "-d", ORDER],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answered.returncode == 0, answered.stdout + answered.stderr
    await shop(page, f"{daemon.url}/demo")
    await page.screenshot(path=tmp_path / "demo.png", full_page=True)

    async def is_counted() -> bool:
        return await daemon.count("tracks") == sum(EXPECTED.values())

    await until(is_counted, "the shop's and the server's events are rows")
    counts = {row["event"]: row["n"] for row in await daemon.sql(COUNTED)}
    assert counts == EXPECTED
    (person,) = await daemon.sql("select email, name from users where email is not null")
    assert person == {"email": "ada@shop.example", "name": "Ada Brook"}
    assert complaints == []
    assert "Order Completed" in daemon.log.read_text(), "the console destination prints each event"


async def shop(page: Page, address: str) -> None:
    """A visitor looks, signs up and buys a lantern."""
    page.set_default_timeout(15_000)
    await page.goto(address)
    await page.click("text=Boat lantern")
    await page.click("[data-add=lantern]")
    await page.click("nav >> text=Sign in")
    await page.fill("#sign-up [name=name]", "Ada Brook")
    await page.fill("#sign-up [name=email]", "ada@shop.example")
    await page.fill("#sign-up [name=password]", "not kept")
    await page.click("#sign-up button")
    await page.click("nav >> text=Cart")
    await page.click("text=Check out")
    await page.fill("[name=address]", "1 Mill Lane")
    await page.click("#checkout button")
    await page.wait_for_selector("text=Thank you")
    await page.wait_for_selector("#pending:text-is('0')")
    assert await page.inner_text("#lost") == "0"
