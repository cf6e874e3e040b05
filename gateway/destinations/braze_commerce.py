"""What Braze knows of shops: recommended eCommerce events, or the purchases that they replace.

Sources: Braze's documentation, "Recommended events" (names and strict schemas: an event that lacks something, or says
something else outside of `metadata`, is dropped) and "Purchase object".
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.destinations.braze_values import MAX_CHARACTERS, storable_properties
from gateway.destinations.commerce import Product, currency, pieces, products, spec_name, value
from gateway.destinations.fields import find, number, present, properties, text, without
from gateway.model.event import Event

MAX_PURCHASE_QUANTITY = 100
NO_REASON = "unspecified"

_REVERSALS = frozenset({"Order Refunded", "Order Cancelled"})
_CART_ACTIONS = {"Product Added": "add", "Product Removed": "remove"}
_OF_THE_PRODUCT = frozenset(
    {"product_id", "productId", "id", "name", "product_name", "title", "variant", "variant_id", "price", "quantity"}
    | {"url", "product_url", "image_url", "imageUrl", "currency", "cart_id"}
)
_OF_THE_ORDER = frozenset(
    {"order_id", "orderId", "checkout_id", "cart_id", "total", "subtotal", "tax", "shipping", "discount", "currency"}
    | {"products", "reason", "cancel_reason"}
)


class Schema(NamedTuple):
    """What a recommended event has to say, and what it may say."""

    name: str
    required: frozenset[str]
    optional: frozenset[str]


_ALL = frozenset({"currency", "source"})
_AMOUNTS = frozenset({"subtotal_value", "tax", "shipping"})
_VIEWED = Schema(
    "ecommerce.product_viewed",
    _ALL | {"product_id", "product_name", "variant_id", "price"},
    frozenset({"image_url", "product_url", "metadata"}),
)
_CART = Schema("ecommerce.cart_updated", _ALL | {"cart_id", "action", "products"}, frozenset({"metadata"}))
_ORDER = _ALL | {"order_id", "total_value", "products"}
_SCHEMAS = {
    "Product Viewed": _VIEWED,
    "Product Added": _CART,
    "Product Removed": _CART,
    "Checkout Started": Schema(
        "ecommerce.checkout_started",
        _ALL | {"checkout_id", "total_value", "products"},
        _AMOUNTS | {"cart_id", "metadata"},
    ),
    "Order Completed": Schema("ecommerce.order_placed", _ORDER, _AMOUNTS | {"cart_id", "total_discounts", "metadata"}),
    "Order Refunded": Schema("ecommerce.order_refunded", _ORDER, frozenset({"total_discounts", "metadata"})),
    "Order Cancelled": Schema(
        "ecommerce.order_cancelled", _ORDER | {"cancel_reason"}, _AMOUNTS | {"total_discounts", "metadata"}
    ),
}


def is_recommended(event: Event) -> bool:
    """Whether Braze has a schema for it."""
    return spec_name(event) in _SCHEMAS


def recommended(event: Event, source: str, default_currency: str) -> tuple[str, dict[str, Any]] | None:
    """Braze's name for the event and its properties; None where it has no schema, or lacks what the schema requires."""
    schema = _SCHEMAS.get(spec_name(event))
    if schema is None:
        return None
    listed = [_line(each) for each in products(event)]
    said = {**(listed[0] if schema is _VIEWED and listed else _order(event))}
    said |= present(products=listed if all(listed) else None, currency=currency(event, default_currency), source=source)
    body = {key: held for key, held in said.items() if key in schema.required or key in schema.optional}
    return (schema.name, body) if schema.required <= body.keys() else None


def purchases(event: Event, default_currency: str) -> tuple[list[dict[str, Any]], Sequence[str]]:
    """Of a completed order one for each product; one of the whole, where a product lacks its price, and the total is
    known."""
    listed, total = products(event), value(event)
    if spec_name(event) != "Order Completed":
        return [], ()
    shared = {"currency": currency(event, default_currency), "time": event["timestamp"]}
    order = present(order_id=text(event, "properties.order_id", "properties.orderId"))
    if not listed or any(each.id is None or each.price is None for each in listed):
        rest = storable_properties(without(properties(event), ("total", "currency")))
        whole = {"product_id": "Order Completed", "price": total, "quantity": 1, "properties": rest}
        return ([whole | shared] if total is not None else []), ()
    found = [_purchase(each, order) | shared for each in listed]
    many = any(pieces(each) > MAX_PURCHASE_QUANTITY for each in listed)
    return found, ("quantity_summed",) if many else ()


def _order(event: Event) -> dict[str, Any]:
    """What the schemas of carts, checkouts and orders may ask for. Amounts are never negative."""
    name, total = spec_name(event), value(event)
    order_id = text(event, "properties.order_id", "properties.orderId")
    is_listed = isinstance(find(event, "properties.products"), list)
    return present(
        action=_CART_ACTIONS.get(name),
        cart_id=text(event, "properties.cart_id"),
        checkout_id=text(event, "properties.checkout_id") or order_id,
        order_id=order_id,
        cancel_reason=text(event, "properties.cancel_reason", "properties.reason") or NO_REASON,
        total_value=_amount(abs(total) if total is not None and name in _REVERSALS else total),
        subtotal_value=_amount(number(event, "properties.subtotal")),
        tax=_amount(number(event, "properties.tax")),
        shipping=_amount(number(event, "properties.shipping")),
        total_discounts=_amount(number(event, "properties.discount")),
        metadata=storable_properties(without(properties(event), _OF_THE_ORDER)) if is_listed else None,
    )


def _line(each: Product) -> dict[str, Any]:
    """A product as the schemas want it; empty where it has no id or no price. Its id stands in for a missing name."""
    if each.id is None or each.price is None or each.price < 0:
        return {}
    return present(
        product_id=each.id,
        product_name=each.name or each.id,
        variant_id=text(each.raw, "variant_id", "variant", "sku") or each.id,
        image_url=_short(each.image_url),
        product_url=_short(each.url),
        quantity=pieces(each),
        price=each.price,
        metadata=storable_properties(without(each.raw, _OF_THE_PRODUCT)),
    )


def _purchase(each: Product, order: Mapping[str, Any]) -> dict[str, Any]:
    """More pieces than a purchase may have are one, at the price of all of them."""
    count = pieces(each)
    is_one = count > MAX_PURCHASE_QUANTITY
    return {
        "product_id": (each.id or "")[:MAX_CHARACTERS],
        "price": (each.price or 0) * (count if is_one else 1),
        "quantity": 1 if is_one else count,
        "properties": storable_properties({**order, **without(each.raw, ("product_id", "price", "quantity"))}),
    }


def _amount(found: float | None) -> float | None:
    return found if found is not None and found >= 0 else None


def _short(address: str | None) -> str | None:
    return address if address and len(address) <= MAX_CHARACTERS else None
