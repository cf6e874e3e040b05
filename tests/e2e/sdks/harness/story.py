"""What every driver tells its SDK: one visit to the shop. The tests know it by heart; no driver has data of its own."""

from typing import Any

ORDER = {
    "order_id": "order-1",
    "total": 59.9,
    "revenue": 49.9,
    "currency": "EUR",
    "products": [
        {"product_id": "p-1", "sku": "SKU-1", "name": "Boat lantern", "price": 9.98, "quantity": 5},
        {"product_id": "p-2", "sku": "SKU-2", "name": "Wöoden mug ☕", "price": 10, "quantity": 1},
    ],
    "shipping": {"method": "post", "address": {"city": "Bath"}},
}

STORY: dict[str, Any] = {
    "seen": {"event": "Product Viewed", "properties": {"product_id": "p-1", "price": 9.98}},
    "page": {"category": "Shop", "name": "Lanterns", "properties": {"collection": "boats"}},
    "traits": {"email": "ada@shop.example", "name": "Ada Brook", "plan": "pro", "logins": 3},
    "order": {"event": "Order Completed", "properties": ORDER},
    "timestamp": "2026-01-02T03:04:05.678Z",
    "integrations": {"All": True, "Amplitude": False},
    "context": {"ip": "203.0.113.7", "userAgent": "The visitor's browser", "experiment": {"arm": "b"}},
    "group": {"id": "company-1", "traits": {"name": "Brook & Co", "employees": 12}},
    "screen": {"name": "Basket", "properties": {"items": 2}},
    "left": {"event": "Signed Out"},
}
"""Browsers have an ip and a user agent of their own: they are told of the experiment alone."""
