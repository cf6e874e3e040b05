"""What the e-commerce events of the Segment spec hold: products and money, in the places where people put them.

Source: Segment's spec, "E-commerce events" (version 2), and its older names, which sites still send.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.destinations.fields import as_number, as_text, find, number, text
from gateway.model.event import Event

_OLDER_NAMES = {
    "Viewed Product Category": "Product List Viewed",
    "Viewed Product List": "Product List Viewed",
    "Product Category Viewed": "Product List Viewed",
    "Viewed Promotion": "Promotion Viewed",
    "Clicked Promotion": "Promotion Clicked",
    "Clicked Product": "Product Clicked",
    "Viewed Product": "Product Viewed",
    "Viewed Product Details": "Product Viewed",
    "Added Product": "Product Added",
    "Removed Product": "Product Removed",
    "Viewed Cart": "Cart Viewed",
    "Started Checkout": "Checkout Started",
    "Viewed Checkout Step": "Checkout Step Viewed",
    "Completed Checkout Step": "Checkout Step Completed",
    "Entered Payment Info": "Payment Info Entered",
    "Updated Order": "Order Updated",
    "Completed Order": "Order Completed",
    "Refunded Order": "Order Refunded",
    "Cancelled Order": "Order Cancelled",
    "Order Canceled": "Order Cancelled",
    "Searched Products": "Products Searched",
    "Entered Coupon": "Coupon Entered",
    "Applied Coupon": "Coupon Applied",
    "Denied Coupon": "Coupon Denied",
    "Removed Coupon": "Coupon Removed",
    "Added Product to Wishlist": "Product Added to Wishlist",
    "Shared Product": "Product Shared",
    "Shared Cart": "Cart Shared",
    "Reviewed Product": "Product Reviewed",
}
_BY_PLAIN_NAME = {each.lower(): each for each in _OLDER_NAMES.values()}
_BY_PLAIN_NAME |= {old.lower(): new for old, new in _OLDER_NAMES.items()}

_CURRENCY_LENGTH = 3
_MAX_PIECES = 10**9


class Product(NamedTuple):
    """One product, as the event says it. None: nothing said."""

    id: str | None
    """`product_id`, else `sku`, else `id`."""
    name: str | None
    price: float | None
    quantity: int | float | None
    category: str | None
    brand: str | None
    variant: str | None
    coupon: str | None
    position: float | None
    url: str | None
    image_url: str | None
    raw: Mapping[str, Any]
    """The whole of it."""


def spec_name(event: Event) -> str:
    """The event's name in version 2 of the spec, however it is written; its own name, where the spec has none."""
    said = as_text(event.get("event")) or ""
    plain = " ".join(said.replace("_", " ").split()).lower()
    return _BY_PLAIN_NAME.get(plain, said)


def products(event: Event) -> list[Product]:
    """Those of `properties.products`; where there is none, the one that the properties themselves describe, if any."""
    listed = find(event, "properties.products")
    if isinstance(listed, list):
        return [product(each) for each in listed if isinstance(each, Mapping)]
    own = find(event, "properties")
    alone = product(own) if isinstance(own, Mapping) else None
    return [alone] if alone is not None and (alone.id or alone.raw.get("product_id")) else []


def product(raw: Mapping[str, Any]) -> Product:
    """A member of `products`, or properties that describe one."""
    return Product(
        id=text(raw, "product_id", "productId", "sku", "id"),
        name=text(raw, "name", "product_name", "title"),
        price=number(raw, "price"),
        quantity=number(raw, "quantity"),
        category=text(raw, "category"),
        brand=text(raw, "brand"),
        variant=text(raw, "variant"),
        coupon=text(raw, "coupon"),
        position=number(raw, "position"),
        url=text(raw, "url", "product_url"),
        image_url=text(raw, "image_url", "imageUrl"),
        raw=raw,
    )


def value(event: Event, *keys: str) -> float | None:
    """The first of these properties (unless it is said which: total, value, revenue) that is a number; else what the
    products cost together, where all have a price."""
    said = number(event, *(f"properties.{key}" for key in keys or ("total", "value", "revenue")))
    if said is not None:
        return said
    return cost(products(event))


def cost(listed: Sequence[Product]) -> float | None:
    """Prices by quantities; None where a price is missing."""
    if not listed or any(each.price is None for each in listed):
        return None
    return as_number(round(sum((each.price or 0) * (each.quantity or 1) for each in listed), 6))


def currency(event: Event, default: str) -> str:
    """ISO 4217 in upper case."""
    said = text(event, "properties.currency", "properties.currencyCode", "context.currency") or ""
    return said.upper() if len(said) == _CURRENCY_LENGTH and said.isascii() and said.isalpha() else default


def pieces(one: Product) -> int:
    """How many of it, as a whole number of at least one."""
    return round(min(max(one.quantity or 1, 1), _MAX_PIECES))


def quantity(listed: Sequence[Product]) -> float:
    """How many pieces."""
    return sum(each.quantity or 1 for each in listed)


def order_id(event: Event) -> str | None:
    """Of an order, or of the checkout that leads to it."""
    return text(
        event, "properties.order_id", "properties.orderId", "properties.transaction_id", "properties.checkout_id"
    )
