"""The shop from the first look to the order, under a path prefix and the strictest policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.integration.script.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


async def test_a_visitor_shops_signs_up_and_leaves(page: Page, site: Site, complaints: list[str], tmp_path: Path):
    site.page_headers["Content-Security-Policy"] = POLICY
    await page.goto(f"{site.origin}/hw/demo/")
    await page.click("text=Boat lantern")
    await page.click("[data-add=lantern]")
    await page.click("text=All goods")
    await page.click("[data-add=mug]")
    await page.click("nav >> text=Cart")
    await page.click("[data-remove=mug]")
    await page.click("nav >> text=Sign in")
    await page.fill("#sign-up [name=name]", "Ada Brook")
    await page.fill("#sign-up [name=email]", "ada@shop.example")
    await page.fill("#sign-up [name=password]", "not kept")
    await page.click("#sign-up button")
    await page.click("nav >> text=Cart")
    await page.click("text=Check out")
    await page.fill("[name=address]", "1 Mill Lane")
    await page.click("#checkout button")
    await page.click("nav >> text=Ada Brook")
    await page.click("#sign-out")
    await page.fill("#sign-in [name=email]", "ada@shop.example")
    await page.fill("#sign-in [name=password]", "anything")
    await page.click("#sign-in button")
    await site.until(lambda: "Signed In" in site.names())
    await page.wait_for_function("document.getElementById('pending').textContent === '0'")
    await page.click("nav >> text=Shop")
    await page.screenshot(path=tmp_path / "demo.png")

    tracked = [event["event"] for event in site.events() if event["type"] == "track"]
    assert tracked == [
        "Product List Viewed",
        "Product Viewed",
        "Product Added",
        "Product List Viewed",
        "Product Added",
        "Cart Viewed",
        "Product Removed",
        "Signed Up",
        "Cart Viewed",
        "Checkout Started",
        "Order Completed",
        "Signed Out",
        "Signed In",
    ]
    assert complaints == []
    assert {body["writeKey"] for body in site.bodies} == {"demo"}
    assert {request.path for request in site.requests} == {"/hw/v1/b"}
    assert "not kept" not in str(site.bodies)


async def test_an_order_has_the_properties_of_the_specification(page: Page, site: Site):
    await page.goto(f"{site.origin}/hw/demo/#/product/kettle")
    await page.click("[data-add=kettle]")
    await page.click("nav >> text=Cart")
    await page.click("text=Check out")
    await page.fill("[name=name]", "Ada Brook")
    await page.fill("[name=address]", "1 Mill Lane")
    await page.click("#checkout button")
    await site.until(lambda: "Order Completed" in site.names())

    (order,) = [event["properties"] for event in site.events() if event.get("event") == "Order Completed"]
    assert order["order_id"].startswith("MP-")
    assert (order["total"], order["subtotal"], order["revenue"], order["tax"]) == (52.9, 48, 40.34, 7.66)
    assert (order["shipping"], order["currency"]) == (4.9, "EUR")
    assert order["products"] == [
        {
            "product_id": "kettle",
            "sku": "MP-KETTLE",
            "name": "Camp kettle",
            "category": "Kitchen",
            "brand": "Millpond",
            "price": 48,
            "currency": "EUR",
            "quantity": 1,
        }
    ]


async def test_the_panel_tells_what_became_of_each_event(page: Page, site: Site, answer: type):
    site.answers.append(answer(400))
    await page.goto(f"{site.origin}/hw/demo/")
    await page.wait_for_function("document.getElementById('lost').textContent === '2'")
    assert "lost refused: 400" in await page.inner_text("#events")

    await page.click("[data-add=pack]")
    await page.wait_for_function("document.getElementById('stored').textContent === '1'")
    assert "Product Added" in await page.inner_text("#events li:first-child")
    assert "stored" in await page.inner_text("#events li:first-child")
