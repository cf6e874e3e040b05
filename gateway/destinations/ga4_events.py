"""The calls and events of the Segment spec in GA4's words. Pure.

Source: "Measurement Protocol events" (recommended events, their parameters, and that `value` is the sum of prices by
quantities without shipping and tax), and Segment's spec, "E-commerce events".
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.destinations import commerce
from gateway.destinations.commerce import Product
from gateway.destinations.fields import as_text, find, number, properties, referrer, table, text, url, without
from gateway.destinations.fields import name as name_of
from gateway.model.event import Event

Params = dict[str, Any]


class Counterpart(NamedTuple):
    """An event of GA4."""

    name: str
    params: Mapping[str, str] = {}
    """The property that each is taken from."""
    fixed: Mapping[str, str] = {}
    has_value: bool = False
    has_items: bool = False
    """Also where the properties themselves describe the product."""


_LIST = {"item_list_id": "list_id", "item_list_name": "category"}
_PROMOTION = {
    "promotion_id": "promotion_id",
    "promotion_name": "name",
    "creative_name": "creative",
    "creative_slot": "position",
}
_ORDER = {"coupon": "coupon", "shipping": "shipping", "tax": "tax"}
_COUPON = {"coupon": "coupon"}
_SIGN_UP = Counterpart("sign_up", {"method": "method"})
_LOGIN = Counterpart("login", {"method": "method"})
_LEAD = Counterpart("generate_lead", has_value=True)

_COUNTERPARTS = {
    "Products Searched": Counterpart("search", {"search_term": "query"}),
    "Product List Viewed": Counterpart("view_item_list", _LIST, has_items=True),
    "Product List Filtered": Counterpart("product_list_filtered", _LIST, has_items=True),
    "Promotion Viewed": Counterpart("view_promotion", _PROMOTION),
    "Promotion Clicked": Counterpart("select_promotion", _PROMOTION),
    "Product Clicked": Counterpart("select_item", _LIST, has_items=True),
    "Product Viewed": Counterpart("view_item", has_value=True, has_items=True),
    "Product Added": Counterpart("add_to_cart", has_value=True, has_items=True),
    "Product Removed": Counterpart("remove_from_cart", has_value=True, has_items=True),
    "Product Added to Wishlist": Counterpart("add_to_wishlist", has_value=True, has_items=True),
    "Cart Viewed": Counterpart("view_cart", has_value=True, has_items=True),
    "Checkout Started": Counterpart("begin_checkout", _COUPON, has_value=True, has_items=True),
    "Checkout Step Viewed": Counterpart("checkout_step_viewed"),
    "Checkout Step Completed": Counterpart(
        "add_shipping_info", {**_COUPON, "shipping_tier": "shipping_method"}, has_value=True, has_items=True
    ),
    "Payment Info Entered": Counterpart(
        "add_payment_info", {**_COUPON, "payment_type": "payment_method"}, has_value=True, has_items=True
    ),
    "Order Completed": Counterpart("purchase", _ORDER, has_value=True, has_items=True),
    "Order Updated": Counterpart("order_updated", _ORDER, has_value=True, has_items=True),
    "Order Refunded": Counterpart("refund", _ORDER, has_value=True, has_items=True),
    "Order Cancelled": Counterpart("order_cancelled", _ORDER, has_value=True, has_items=True),
    "Coupon Entered": Counterpart("coupon_entered"),
    "Coupon Applied": Counterpart("coupon_applied"),
    "Coupon Denied": Counterpart("coupon_denied"),
    "Coupon Removed": Counterpart("coupon_removed"),
    "Product Shared": Counterpart(
        "share", {"method": "share_via", "item_id": "product_id"}, {"content_type": "product"}
    ),
    "Cart Shared": Counterpart("share", {"method": "share_via", "item_id": "cart_id"}, {"content_type": "cart"}),
    "Product Reviewed": Counterpart("product_reviewed"),
    "Signed Up": _SIGN_UP,
    "Sign Up": _SIGN_UP,
    "Signed In": _LOGIN,
    "Logged In": _LOGIN,
    "Login": _LOGIN,
    "Generate Lead": _LEAD,
    "Lead Generated": _LEAD,
}
_BY_PLAIN_NAME = {name.lower(): counterpart for name, counterpart in _COUNTERPARTS.items()}

_MONEY = ("total", "value", "revenue", "currency")
_ORDER_IDS = ("order_id", "orderId", "transaction_id", "checkout_id")
_PRODUCT = (
    *("product_id", "productId", "sku", "id", "name", "product_name", "title", "price", "quantity", "category"),
    *("brand", "variant", "coupon", "position", "url", "product_url", "image_url", "imageUrl"),
)
_OURS = (
    *("session_id", "session_number", "ga_session_id", "ga_session_number", "engagement_time_msec", "engaged_ms"),
    *("page_location", "page_referrer", "page_title"),
)
"""What every event says, from better places than the properties."""
_PAGE = ("url", "title", "referrer", "path", "search")
_CATEGORIES = ("item_category", "item_category2", "item_category3", "item_category4", "item_category5")


def told_of(event: Event, names: Mapping[str, str], identify_event: str) -> tuple[str, Params] | None:
    """GA4's event and its parameters; None where it has no counterpart. `names` are the owner's for tracks.

    Raises ValueError for a refund of nobody knows what.
    """
    match event["type"]:
        case "track":
            return _track(event, names)
        case "page":
            return "page_view", {"name": name_of(event) or None, **without(properties(event), (*_OURS, *_PAGE))}
        case "screen":
            said = name_of(event) or None
            return "view_screen", {"screen_name": said, **without(properties(event), (*_OURS, "name"))}
        case "group":
            return "join_group", {"group_id": as_text(event.get("groupId")), **table(event, "traits")}
        case "identify" if identify_event:
            return identify_event, {}
    return None


def page_params(event: Event) -> Params:
    """Where it happened."""
    title = text(event, "context.page.title", "properties.title", "properties.page_title")
    location, before = url(event) or text(event, "properties.page_location"), referrer(event)
    return {"page_location": location, "page_title": title, "page_referrer": before}


def items_of(listed: Sequence[Product]) -> list[Params]:
    """Products of a list as GA4's items; what it has no name for goes along under the product's own."""
    return [{**_item(each), **without(each.raw, frozenset({*_PRODUCT, "item_id", "item_name"}))} for each in listed]


def _track(event: Event, names: Mapping[str, str]) -> tuple[str, Params]:
    said = name_of(event)
    known = _BY_PLAIN_NAME.get(" ".join(commerce.spec_name(event).replace("_", " ").split()).lower())
    if said in names or known is None:
        own = properties(event)
        items = items_of(commerce.products(event)) if _lists_products(own) else own.get("items")
        return names.get(said, said), {**without(own, (*_OURS, "products", "items")), "items": items}
    return known.name, _params(event, known)


def _params(event: Event, known: Counterpart) -> Params:
    own, is_list, is_order = properties(event), _lists_products(properties(event)), known.params is _ORDER
    listed = commerce.products(event) if known.has_items or is_list else []
    items = items_of(listed) if is_list else [_item(each) for each in listed]
    used = {*_OURS, *known.params.values(), "products", "items"}
    used.update(
        _MONEY if known.has_value else (), _ORDER_IDS if is_order else (), _PRODUCT if items and not is_list else ()
    )
    return {
        **(_money(event) if known.has_value else {}),
        **(_of_order(event, known) if is_order else {}),
        **known.fixed,
        **{param: find(event, f"properties.{key}") for param, key in known.params.items()},
        "items": items,
        **without(own, frozenset(used)),
    }


def _lists_products(own: Mapping[str, Any]) -> bool:
    return isinstance(own.get("products"), list)


def _of_order(event: Event, known: Counterpart) -> Params:
    """What GA4 knows a purchase again by: told twice, it counts once."""
    order_id = commerce.order_id(event)
    if order_id is None and known.name == "refund":
        raise ValueError("a refund needs an order_id: by it GA4 finds the purchase")
    return {"transaction_id": order_id or event["messageId"]}


def _money(event: Event) -> Params:
    """The value without shipping and tax, where that can be had."""
    value = commerce.value(event, "value", "revenue")
    return {
        "currency": text(event, "properties.currency"),
        "value": number(event, "properties.total") if value is None else value,
    }


def _item(product: Product) -> Params:
    levels = [level.strip() for level in (product.category or "").split("/") if level.strip()]
    named = {
        "item_id": product.id or as_text(product.raw.get("item_id")),
        "item_name": product.name or as_text(product.raw.get("item_name")),
        "price": product.price,
        "quantity": product.quantity,
        "item_brand": product.brand,
        **dict(zip(_CATEGORIES, levels, strict=False)),
        "item_variant": product.variant,
        "coupon": product.coupon,
        "index": product.position,
    }
    return {key: value for key, value in named.items() if value is not None}
