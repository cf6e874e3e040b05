"""What GA4 takes. It answers 2xx to nearly everything and drops in silence what breaks its rules; here that is repaired
before it is sent, and every repair has a name. Pure.

Source: "Measurement Protocol reference" (reserved names), "Send Measurement Protocol events" (limitations), and of
Google Analytics Help "Event collection limits" and "Event naming rules". Letters of any script count as letters: the
naming rules say so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.destinations.fields import as_number, as_text, flat
from gateway.destinations.people import email

MAX_PARAMS = 25
MAX_USER_PROPERTIES = 25
MAX_ITEMS = 200
MAX_CUSTOM_ITEM_PARAMS = 10
MAX_NAME = 40
MAX_VALUE = 100
MAX_USER_PROPERTY_NAME = 24
MAX_USER_PROPERTY_VALUE = 36
MAX_USER_ID = 256
LONGER_VALUES = {"page_title": 300, "page_referrer": 420, "page_location": 1000}

RESERVED_EVENTS = frozenset(
    {
        *("ad_activeview", "ad_click", "ad_exposure", "ad_impression", "ad_query", "ad_reward", "adunit_exposure"),
        *("app_background", "app_clear_data", "app_exception", "app_install", "app_remove", "app_update"),
        *("app_store_refund", "app_store_subscription_cancel", "app_store_subscription_convert"),
        *("app_store_subscription_renew", "app_upgrade", "dynamic_link_app_open", "dynamic_link_app_update"),
        *("dynamic_link_first_open", "error", "firebase_campaign", "first_open", "first_visit", "in_app_purchase"),
        *("notification_dismiss", "notification_foreground", "notification_open", "notification_receive"),
        *("notification_send", "os_update", "screen_view", "session_start", "session_start_with_rollout"),
        "user_engagement",
    }
)
RESERVED_PARAMS = frozenset({"firebase_conversion"})
RESERVED_USER_PROPERTIES = frozenset(
    {
        *("first_open_time", "first_visit_time", "last_deep_link_referrer", "user_id", "first_open_after_install"),
        *("last_advertising_id_reset", "last_gclid", "lifetime_user_engagement", "non_personalized_ads"),
        *("session_id", "session_number"),
    }
)
RESERVED_PREFIXES = ("_", "firebase_", "ga_", "google_", "gtag.", "query_id")
CUSTOM = "custom_"
"""Begins the names of what may not be called as it is."""

ITEM_PARAMS = frozenset(
    {
        *("item_id", "item_name", "item_brand", "item_variant", "item_list_id", "item_list_name", "affiliation"),
        *("item_category", "item_category2", "item_category3", "item_category4", "item_category5", "index"),
        *("coupon", "currency", "discount", "price", "quantity", "location_id", "promotion_id", "promotion_name"),
        *("creative_name", "creative_slot"),
    }
)

_NO_LETTER = re.compile(r"\W")
_CURRENCY = re.compile(r"[A-Z]{3}")

Repairs = set[str]


def fit_event(name: str, params: Mapping[str, Any], currency: str, repairs: Repairs) -> dict[str, Any]:
    """A member of `events`. Of params that are too many the first stay. Raises ValueError where the name cannot be one.

    `currency` is what an amount is in where the event does not say it.
    """
    fitted_name = fit_name(name, MAX_NAME, RESERVED_EVENTS, repairs)
    if not fitted_name:
        raise ValueError(f'"{name}" has no letter or digit in it, so GA4 takes no event of that name')
    items = fit_items(params.get("items"), repairs)
    money = fit_money(params, currency, repairs)
    plain = {key: value for key, value in params.items() if key not in {"items", "value", "currency"}}
    found = {**money, **({"items": items} if items else {}), **fit_params(plain, repairs)}
    return {"name": fitted_name, "params": _first(found, MAX_PARAMS, "params_dropped", repairs)}


def fit_name(said: str, max_length: int, reserved: frozenset[str], repairs: Repairs) -> str:
    """Words are joined by underscores, as in GA4's own names: that alone is no repair. Empty where nothing is left."""
    joined = "_".join(said.split())
    name = _NO_LETTER.sub("_", joined)
    if not name.strip("_"):
        return ""
    if name != joined:
        repairs.add("name_changed")
    if not name[0].isalpha() or joined.lower().startswith(RESERVED_PREFIXES) or name in reserved:
        name = CUSTOM + name.lstrip("_")
        repairs.add("name_reserved")
    if len(name) > max_length:
        name = name[:max_length]
        repairs.add("name_cut")
    return name


def fit_params(params: Mapping[str, Any], repairs: Repairs) -> dict[str, Any]:
    """Texts and numbers under names that GA4 takes. Of two params with one name the first stays."""
    if any(isinstance(value, Mapping) for value in params.values()):
        repairs.add("flattened")
    found: dict[str, Any] = {}
    for key, held in flat(params).items():
        name = fit_name(key, MAX_NAME, RESERVED_PARAMS, repairs)
        value = fit_value(held, LONGER_VALUES.get(name, MAX_VALUE), repairs)
        if name and value is not None:
            found.setdefault(name, value)
    return found


def fit_value(value: Any, max_length: int, repairs: Repairs) -> str | int | float | None:
    """GA4 knows texts and numbers: booleans are written as texts, lists too. None where nothing is left.

    An email address is left out: Google's terms forbid to send it.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, list):
        repairs.add("list_joined")
        value = ",".join(filter(None, map(as_text, value)))
    text = as_text(value)
    if is_address(text):
        repairs.add("email_left_out")
        return None
    if text is None or len(text) <= max_length:
        return text
    repairs.add("value_cut")
    return text[:max_length]


def fit_money(params: Mapping[str, Any], currency: str, repairs: Repairs) -> dict[str, Any]:
    """`value` must be a number and have a currency, else GA4 takes neither; what is no number gets another name."""
    said, unit = params.get("value"), as_text(params.get("currency"))
    amount = as_number(said)
    known = unit.upper() if unit and _CURRENCY.fullmatch(unit.upper()) else None
    if amount is None:
        text = fit_value(said, MAX_VALUE, repairs) if not isinstance(said, Mapping) else None
        if text is None:
            return {"currency": known} if known else {}
        repairs.add("value_not_a_number")
        return {f"{CUSTOM}value": text, **({"currency": known} if known else {})}
    if known is None:
        repairs.add("currency_assumed")
    return {"currency": known or currency, "value": amount}


def fit_items(items: Any, repairs: Repairs) -> list[dict[str, Any]]:
    """Those that have an id or a name, without what GA4 would drop."""
    listed = [each for each in items if isinstance(each, Mapping)] if isinstance(items, list) else []
    fitted = [_fit_item(each, repairs) for each in listed]
    found = [each for each in fitted if "item_id" in each or "item_name" in each]
    if len(found) < len(listed):
        repairs.add("items_dropped")
    if len(found) > MAX_ITEMS:
        repairs.add("items_dropped")
    return found[:MAX_ITEMS]


def _fit_item(item: Mapping[str, Any], repairs: Repairs) -> dict[str, Any]:
    found = fit_params(item, repairs)
    known = {key: value for key, value in found.items() if key in ITEM_PARAMS}
    custom = {key: value for key, value in found.items() if key not in ITEM_PARAMS}
    return known | _first(custom, MAX_CUSTOM_ITEM_PARAMS, "item_params_dropped", repairs)


def fit_user_properties(traits: Mapping[str, Any], repairs: Repairs) -> dict[str, dict[str, Any]]:
    """`{"plan": {"value": "pro"}}`."""
    found: dict[str, dict[str, Any]] = {}
    for key, held in flat(traits).items():
        name = fit_name(key, MAX_USER_PROPERTY_NAME, RESERVED_USER_PROPERTIES, repairs)
        value = fit_value(held, MAX_USER_PROPERTY_VALUE, repairs)
        if name and value is not None:
            found.setdefault(name, {"value": value})
    return _first(found, MAX_USER_PROPERTIES, "user_properties_dropped", repairs)


def is_address(value: str | None) -> bool:
    """Whether it is an email address."""
    return value is not None and "@" in value and email(value) is not None


def in_order(repairs: Iterable[str]) -> Sequence[str]:
    """As a message carries them."""
    return tuple(sorted(repairs))


def _first(found: dict[str, Any], count: int, reason: str, repairs: Repairs) -> dict[str, Any]:
    if len(found) <= count:
        return found
    repairs.add(reason)
    return dict(list(found.items())[:count])
