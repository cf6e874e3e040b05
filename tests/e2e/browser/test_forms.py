"""Forms: that one was sent is told, and which; what somebody typed into it never is."""

import json

import pytest
from playwright.async_api import Page

from tests.e2e.browser.harness.shop import Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

TAG = tag(attributes='data-off="engagement"')
STAY = "<script>addEventListener('submit', (event) => event.preventDefault())</script>"
TABLES = "select distinct table_name from information_schema.columns"
SECRETS = {
    "text": "Ada-Lovelace-77",
    "password": "hunter2-hunter2",
    "email": "ada@lovelace.example",
    "tel": "+49-555-0199",
    "hidden": "csrf-5f3a9c1e",
}
CARD = "4111111111111111"


async def test_a_form_tells_its_own_attributes_once_the_browser_finds_it_valid(shop: Shop, page: Page):
    form = '<form id="join" name="newsletter" action="/join">'
    await page.goto(shop.write(f"{form}<input type='email' required><button>go</button></form>{STAY}{TAG}"))
    await page.wait_for_function("window.analytics?.flush")

    await page.click("button")
    await page.fill("input", "not an address")
    await page.click("button")
    await page.evaluate("analytics.track('Still Invalid')")
    await page.fill("input", "ada@lovelace.example")
    await page.click("button")
    still, submitted = await shop.until_rows(2)

    assert (still["event_text"], submitted["event_text"]) == ("Still Invalid", "Form Submitted")
    assert json.loads(submitted["properties"]) == {"id": "join", "name": "newsletter", "action": "/join"}


async def test_fields_that_are_named_like_what_a_form_has_do_not_hide_it(shop: Shop, page: Page):
    names = ("id", "name", "action", "method", "elements", "attributes", "getAttributeNames")
    fields = "".join(f'<input name="{name}" value="a secret">' for name in names)
    form = '<form id="order" name="cart" action="pay" data-track="Ordered" data-track-step="3">'
    await page.goto(shop.write(f"{form}{fields}<button>pay</button></form>{STAY}{TAG}"))
    await page.wait_for_function("window.analytics?.flush")

    await page.click("button")
    ordered, submitted = await shop.until_rows(2)

    assert (ordered["event_text"], json.loads(ordered["properties"])) == ("Ordered", {"step": "3"})
    assert json.loads(submitted["properties"]) == {"id": "order", "name": "cart", "action": "pay"}


async def test_what_was_typed_is_in_no_row_and_in_no_request(shop: Shop, page: Page):
    fields = "".join(f'<input type="{kind}" name="{kind}" value="{value}">' for kind, value in SECRETS.items())
    card = '<input autocomplete="cc-number" name="card">'
    more = f"<textarea>{SECRETS['text']}</textarea><select><option selected>{SECRETS['text']}</select>"
    form = f'<form id="pay" method="post" data-track="Paid">{fields}{card}{more}<button>pay</button></form>'
    await page.goto(shop.write(form + STAY + TAG))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.trackForm(document.forms.pay, 'Form Followed', (form) => ({form: form.id}))")

    await page.locator("[name=card]").press_sequentially(CARD)
    await page.click("[name=text]")
    await page.keyboard.press("Enter")
    await shop.until_rows(3)

    assert await shop.events() == ["Paid", "Form Submitted", "Form Followed"]
    tables = [row["table_name"] for row in await shop.query(TABLES)]
    rows = json.dumps([await shop.query(f'select * from "{table}"') for table in tables], default=str)
    sent = json.dumps(shop.relay.posts)
    assert [secret for secret in (*SECRETS.values(), CARD) if secret in rows or secret in sent] == []


async def test_track_form_tells_what_its_functions_make_of_the_form(shop: Shop, page: Page):
    await page.goto(shop.write(f'<form id="join" data-plan="pro"><button>go</button></form>{STAY}{TAG}'))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("""() => {
        const {join} = document.forms;
        analytics.trackForm(join, (form) => 'Joined by ' + form.id, (form) => ({plan: form.dataset.plan}));
        analytics.trackForm([join], 'Joined', {n: 1});
    }""")

    await page.click("button")
    _, by_function, plain = await shop.until_rows(3)

    assert (by_function["event_text"], json.loads(by_function["properties"])) == ("Joined by join", {"plan": "pro"})
    assert (plain["event_text"], json.loads(plain["properties"])) == ("Joined", {"n": 1})
