"""Events that no client should send, and some does: the spec's fields, with anything in them."""

from typing import Any

from hypothesis import strategies as st

from gateway.model.event import EVENT_TYPES
from tests.vendors.events import BOOTS, CONTEXT, ORDER, TRAITS, event

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30).filter(lambda text: text.isprintable() or text.isascii())
    | st.sampled_from(["", " ", "0", "12.50", "EUR", "1e999", "\x00", "é", "a" * 300, "2026-11-25T12:00:00Z"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _tables(known: dict[str, Any], more: tuple[str, ...] = ()) -> st.SearchStrategy[Any]:
    """A mapping with some of the known keys, each with its value or with anything; or anything instead of it."""
    values = {key: st.just(value) | JSON for key, value in known.items()} | dict.fromkeys(more, JSON)
    return st.fixed_dictionaries({}, optional=values) | JSON


CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        **{key: st.just(value) | JSON for key, value in CONTEXT.items()},
        "page": _tables(CONTEXT["page"]),
        "traits": _tables(TRAITS),
        "cookies": _tables(CONTEXT["cookies"]),
        "campaign": JSON,
        "device": _tables({"id": "d1", "token": "t", "type": "ios", "model": "X"}),
        "os": JSON,
        "app": _tables({"name": "Shop", "version": "1.2"}),
        "network": JSON,
        "externalId": JSON,
        "location": JSON,
        "screen": JSON,
        "consent": _tables({"categoryPreferences": {"marketing": True}}),
        "sessionId": JSON,
    },
)
PROPERTIES = _tables(
    {**ORDER, **BOOTS, "products": [BOOTS]},
    ("value", "query", "list_id", "position", "promotion_id", "payment_method", "url", "title", "method", "rating"),
)
NAMES = st.sampled_from(
    ["Order Completed", "Product Added", "Product Viewed", "Order Refunded", "Signed Up", "Checkout Started", "x"]
) | st.text(min_size=1, max_size=60)

EVENTS = st.builds(
    lambda kind, **fields: event(1, type=kind, **{key: value for key, value in fields.items() if value is not ...}),
    st.sampled_from(EVENT_TYPES),
    event=NAMES,
    name=NAMES | st.just(...),
    properties=PROPERTIES | st.just(...),
    traits=_tables(TRAITS, ("plan", "createdAt", "birthday", "company")) | st.just(...),
    context=CONTEXTS,
    userId=st.text(max_size=20) | st.none() | st.just("u1"),
    groupId=st.text(min_size=1, max_size=20) | st.just("g1"),
    previousId=st.text(min_size=1, max_size=20) | st.just("old"),
    integrations=_tables({"All": True}) | st.just(...),
)
