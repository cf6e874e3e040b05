"""What Meta is told of an event: its name in Meta's words, and `custom_data`.

Source: "Specifications for Meta Pixel standard events" and "Custom data parameters" of Meta's Conversions API.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.destinations import commerce, people
from gateway.destinations.commerce import Product
from gateway.destinations.fields import flat, number, present, properties, text
from gateway.model.event import Event

STANDARD_EVENTS: Mapping[str, str] = {
    "Products Searched": "Search",
    "Product List Viewed": "ViewContent",
    "Product Viewed": "ViewContent",
    "Product Added": "AddToCart",
    "Product Added to Wishlist": "AddToWishlist",
    "Checkout Started": "InitiateCheckout",
    "Payment Info Entered": "AddPaymentInfo",
    "Order Completed": "Purchase",
    "Signed Up": "CompleteRegistration",
    "Subscription Created": "Subscribe",
    "Trial Started": "StartTrial",
}
"""From the Segment spec. Names of Meta's own, like Lead, are passed on as they are."""

_OF_PRODUCTS = frozenset(
    {"Search", "ViewContent", "AddToCart", "AddToWishlist", "InitiateCheckout", "AddPaymentInfo", "Purchase"}
)
"""Of these Meta is told what it has parameters for, of all others every property that names nobody."""
_WORTH_THE_PRODUCTS = frozenset({"AddToCart", "AddToWishlist", "InitiateCheckout", "AddPaymentInfo", "Purchase"})
_COUNTED = frozenset({"InitiateCheckout", "Purchase"})
_TRANSLATED = frozenset({"products", "value", "currency", "contents"})
_DELIVERIES = frozenset({"in_store", "curbside", "home_delivery"})

_PERSONAL = re.compile(
    r"(e?mail|emailaddress|phone|phonenumber|firstname|lastname|fullname|username|gender|birthday|birthdate"
    r"|dateofbirth|dob|password)$|^(address|street|city|state|zip|zipcode|postalcode|country|ip|ipaddress)$"
)
"""Keys, without what people write differently, whose values Meta must get hashed or not at all."""


def custom_data(event: Event, name: str, currency: str, content_type: str) -> dict[str, Any]:
    """The parameters of Meta's event with this name. Raises ValueError for a purchase without a value."""
    listed = [product for product in commerce.products(event) if product.id]
    value = _value(event, name, listed)
    if value is None and name == "Purchase":
        raise ValueError("Meta takes no Purchase without a value: send revenue, value, total, or the products' prices")
    own = {} if name in _OF_PRODUCTS else _impersonal(event)
    return (
        own
        | _contents(event, listed, content_type)
        | present(
            value=value,
            currency=None if value is None else commerce.currency(event, currency),
            num_items=commerce.quantity(listed) if listed and name in _COUNTED else None,
            order_id=commerce.order_id(event),
            search_string=text(event, "properties.query") if name == "Search" else None,
        )
    )


def _contents(event: Event, listed: Sequence[Product], content_type: str) -> dict[str, Any]:
    alone = listed[0] if len(listed) == 1 else None
    return present(
        content_ids=[product.id for product in listed],
        contents=[_content(event, product) for product in listed],
        content_type=content_type if listed else None,
        content_name=alone.name if alone else None,
        content_category=alone.category if alone else text(event, "properties.category"),
    )


def _content(event: Event, product: Product) -> dict[str, Any]:
    delivery = text(product.raw, "delivery_category") or text(event, "properties.delivery_category")
    return present(
        id=product.id,
        quantity=product.quantity or 1,
        item_price=product.price,
        delivery_category=delivery if delivery in _DELIVERIES else None,
    )


def _value(event: Event, name: str, listed: Sequence[Product]) -> float | None:
    """What the event says it is worth; else what its products cost, but not what those of a list would cost."""
    said = number(event, "properties.revenue", "properties.value", "properties.total")
    if said is not None:
        return said
    is_of_one = name == "ViewContent" and len(listed) == 1
    return commerce.cost(commerce.products(event)) if name in _WORTH_THE_PRODUCTS or is_of_one else None


def _impersonal(event: Event) -> dict[str, Any]:
    """The properties on one level, without those that name somebody; tables in lists are left out."""
    return {
        path.replace(".", "_"): value
        for path, value in flat(properties(event), ".").items()
        if path not in _TRANSLATED and _is_plain(value) and not _is_personal(path, value)
    }


def _is_plain(value: Any) -> bool:
    return all(isinstance(each, str | int | float) for each in (value if isinstance(value, list) else [value]))


def _is_personal(path: str, value: Any) -> bool:
    keys = ("".join(letter for letter in key.lower() if letter.isalnum()) for key in path.split("."))
    values = value if isinstance(value, list) else [value]
    return any(map(_PERSONAL.search, keys)) or any(isinstance(each, str) and people.email(each) for each in values)
