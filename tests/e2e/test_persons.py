"""The demonstration shop in a real browser: two people share it, one of them comes back on a second device, and every
page view is the right person's."""

from playwright.async_api import Browser, BrowserContext, Page

from tests.e2e.harness.configuration import WAREHOUSE, Plan
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.waiting import until

PLAN = Plan(destinations=WAREHOUSE, more="[demo]\nenabled = true\n")
VIEWS = "select event, anonymous_id, person_id from person_events where type = 'page' order by timestamp, id"


async def look_at(page: Page, *goods: str) -> None:
    """Open the shop's list and then each of these."""
    for each in goods:
        await page.click("nav >> text=Shop")
        await page.click(f"#view >> text={each} >> visible=true")


async def sign_up(page: Page, name: str) -> None:
    await page.click("#account-link")
    await page.fill("#sign-up [name=name]", name)
    await page.fill("#sign-up [name=email]", f"{name.lower()}@shop.example")
    await page.fill("#sign-up [name=password]", "not kept")
    await page.click("#sign-up button")
    await page.wait_for_selector(f"text=Hello, {name}")


async def sign_out(page: Page) -> None:
    await page.click("#account-link")
    await page.click("#sign-out")
    await page.wait_for_selector("text=Your account")


async def sign_in(page: Page, name: str) -> None:
    await page.click("#account-link")
    await page.fill("#sign-in [name=email]", f"{name.lower()}@shop.example")
    await page.fill("#sign-in [name=password]", "not kept")
    await page.click("#sign-in button")
    await page.wait_for_selector(f"text=Hello, {name}")


async def open_shop(context: BrowserContext, daemon: Daemon) -> Page:
    page = await context.new_page()
    page.set_default_timeout(15_000)
    await page.goto(f"{daemon.url}/demo")
    return page


async def test_each_page_view_is_its_persons(make_daemon: MakeDaemon, browser: Browser):
    daemon = make_daemon(PLAN)
    await daemon.start()
    home, telephone = await browser.new_context(), await browser.new_context()
    page = await open_shop(home, daemon)
    await look_at(page, "Boat lantern")
    await sign_up(page, "Ada")
    await look_at(page, "Boat lantern")
    await sign_out(page)
    await sign_up(page, "Ben")
    await look_at(page, "Boat lantern")
    accounts = await page.evaluate("localStorage.shop_accounts")
    second = await open_shop(telephone, daemon)
    await look_at(second, "Boat lantern")
    await second.evaluate("accounts => localStorage.shop_accounts = accounts", accounts)
    await second.reload()
    await sign_in(second, "Ada")
    await look_at(second, "Boat lantern")
    for each in (page, second):
        await each.wait_for_selector("#pending:text-is('0')")

    async def are_two() -> bool:
        return await daemon.count("(select distinct person_id from person_events where is_identified) t") == 2

    await until(are_two, "two people are known")
    await daemon.settled("warehouse")
    ada, ben = [await _person(daemon, f"{name}@shop.example") for name in ("ada", "ben")]
    views = await daemon.sql(VIEWS)
    devices = list(dict.fromkeys(view["anonymous_id"] for view in views))
    assert len(devices) == 3, "Ada's at home, another one after she signed out, and the telephone"
    whose = {device: {view["person_id"] for view in views if view["anonymous_id"] == device} for device in devices}
    assert whose == {devices[0]: {ada}, devices[1]: {ben}, devices[2]: {ada}}
    assert ada != ben
    known = "select count(*) as n from person_events where type = 'page' and not is_identified"
    assert (await daemon.sql(known))[0]["n"] >= 6, "most of it was from before a sign-up"


async def _person(daemon: Daemon, email: str) -> str:
    (row,) = await daemon.sql(f"select person_id from identities where identifier = '{email}'")
    return str(row["person_id"])
