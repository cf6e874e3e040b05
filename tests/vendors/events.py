"""Events of the Segment spec as clients send them, for tests that every destination has to pass."""

from collections.abc import Mapping
from typing import Any

from gateway.model.envelope import Envelope
from gateway.model.event import Event, canonical, from_epoch_ms, to_iso

AT_MS = 1_795_608_000_000
"""2026-11-25T12:00:00Z."""
ENVELOPE = Envelope(
    "web",
    AT_MS,
    None,
    "203.0.113.9",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
)
BOOTS = {"product_id": "sku-1", "name": "Boots", "price": 40, "quantity": 2, "category": "Shoes", "brand": "Acme"}
SOCKS = {"product_id": "sku-2", "name": "Socks", "price": 5.5, "quantity": 1, "category": "Socks"}
CONTEXT = {
    "library": {"name": "analytics.js", "version": "2.1.0"},
    "page": {
        "url": "https://shop.example/checkout?gclid=Cj0KCQ&fbclid=IwAR2&ttclid=tt1&epik=ep1&ScCid=sc1&rdt_cid=rd1"
        "&li_fat_id=li1&utm_source=news",
        "path": "/checkout",
        "title": "Checkout",
        "referrer": "https://search.example/",
    },
    "campaign": {"source": "news", "medium": "email", "name": "winter"},
    "cookies": {
        "_ga": "GA1.1.1234567890.1700000000",
        "_ga_ABC123": "GS2.1.s1795607000$o3$g1$t1795607900$j60$l0$h0",
        "_fbp": "fb.1.1700000000000.987654321",
    },
    "locale": "de-DE",
    "sessionId": 1795607000,
}
TRAITS = {
    "email": "Ada@Example.com",
    "phone": "+49 30 901820",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "address": {"city": "Berlin", "postalCode": "10115", "country": "DE", "state": "BE", "street": "Allee 1"},
}
ORDER = {
    "order_id": "o-1",
    "total": 94.45,
    "revenue": 85.5,
    "shipping": 4,
    "tax": 4.95,
    "currency": "EUR",
    "coupon": "WINTER",
    "products": [BOOTS, SOCKS],
}

_TRACKS: Mapping[str, Mapping[str, Any]] = {
    "Products Searched": {"query": "boots"},
    "Product List Viewed": {"list_id": "l1", "category": "Shoes", "products": [BOOTS, SOCKS]},
    "Product List Filtered": {"list_id": "l1", "filters": [{"type": "size", "value": "40"}], "products": [BOOTS]},
    "Promotion Viewed": {"promotion_id": "p1", "creative": "banner", "name": "Winter sale", "position": "top"},
    "Promotion Clicked": {"promotion_id": "p1", "creative": "banner", "name": "Winter sale", "position": "top"},
    "Product Clicked": {**BOOTS, "currency": "EUR"},
    "Product Viewed": {**BOOTS, "currency": "EUR"},
    "Product Added": {**BOOTS, "currency": "EUR", "cart_id": "c1"},
    "Product Removed": {**BOOTS, "currency": "EUR", "cart_id": "c1"},
    "Product Added to Wishlist": {**BOOTS, "wishlist_id": "w1"},
    "Cart Viewed": {"cart_id": "c1", "currency": "EUR", "products": [BOOTS, SOCKS]},
    "Checkout Started": {**ORDER, "value": 85.5},
    "Checkout Step Viewed": {"checkout_id": "c1", "step": 2, "shipping_method": "DHL"},
    "Checkout Step Completed": {"checkout_id": "c1", "step": 2, "shipping_method": "DHL"},
    "Payment Info Entered": {"checkout_id": "c1", "order_id": "o-1", "payment_method": "Visa"},
    "Order Completed": ORDER,
    "Order Updated": ORDER,
    "Order Refunded": ORDER,
    "Order Cancelled": ORDER,
    "Coupon Entered": {"order_id": "o-1", "coupon_id": "WINTER"},
    "Coupon Applied": {"order_id": "o-1", "coupon_id": "WINTER", "discount": 10},
    "Coupon Denied": {"order_id": "o-1", "coupon_id": "WINTER", "reason": "expired"},
    "Product Shared": {**BOOTS, "share_via": "email"},
    "Cart Shared": {"cart_id": "c1", "share_via": "email", "products": [BOOTS]},
    "Product Reviewed": {"product_id": "sku-1", "review_body": "Warm.", "rating": 5},
    "Signed Up": {"method": "email", "plan": "pro"},
    "Signed In": {"method": "email"},
    "Subscription Created": {"plan": "pro", "value": 12},
    "Application Opened": {},
    "Level Reached": {"level": 7, "nested": {"deep": [1, 2, {"x": None}]}, "ok": True},
}


def event(n: int, **fields: Any) -> dict[str, Any]:
    """A client's event number `n`, of its own person."""
    return {
        "messageId": f"msg-{n:06d}",
        "type": "track",
        "anonymousId": f"visitor-{n}",
        "userId": f"user-{n}",
        "timestamp": to_iso(from_epoch_ms(AT_MS - 60_000)),
        "context": {**CONTEXT, "traits": TRAITS},
        **fields,
    }


def order(n: int, **fields: Any) -> dict[str, Any]:
    """A completed order, which every tool that is told of anything is told of."""
    return event(n, event="Order Completed", properties={**ORDER, "order_id": f"o-{n}"}, **fields)


def tour() -> list[dict[str, Any]]:
    """One event of each call, and one of each name that the spec has."""
    calls = [
        {"type": "identify", "traits": {**TRAITS, "plan": "pro", "createdAt": "2026-01-02T03:04:05Z"}},
        {"type": "page", "name": "Home", "properties": {"url": "https://shop.example/", "title": "Home"}},
        {"type": "screen", "name": "Start", "properties": {"tab": "new"}},
        {"type": "group", "groupId": "g1", "traits": {"name": "Acme", "employees": 50, "industry": "Shoes"}},
        {"type": "alias", "previousId": "visitor-old"},
        *({"event": name, "properties": dict(properties)} for name, properties in _TRACKS.items()),
    ]
    return [event(n, **call) for n, call in enumerate(calls)]


def seen(raw: Mapping[str, Any], envelope: Envelope = ENVELOPE) -> Event:
    """The event as destinations are shown it."""
    return canonical(raw, envelope)
