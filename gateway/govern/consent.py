"""What a visitor's consent allows: the browser script obeys it, and what reaches us all the same is judged again.

Consent is `context.consent.categoryPreferences`, as in Segment's consent management: categories by name, true or false.
Two mean something here. `analytics`: whether the event may be kept at all. `marketing`: whether it may serve ads.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from gateway.model.event import Event

ANALYTICS = "analytics"
MARKETING = "marketing"

_WORDS = {
    **dict.fromkeys(("true", "yes", "1", "granted", "allow"), True),
    **dict.fromkeys(("false", "no", "0", "denied", "deny"), False),
}

Preferences = Mapping[str, Any]


class ConsentRules(NamedTuple):
    """What the owner of a source decided."""

    is_required: bool
    """Events without consent are not kept; otherwise only those whose visitor refused are not."""
    honours_gpc: bool
    """Global Privacy Control (the header Sec-GPC) is a refusal of marketing."""
    honours_dnt: bool
    """Do Not Track (the header DNT) is a refusal of everything."""
    keeps_refused: bool = False
    """What a visitor refused is stored all the same, for the owner alone."""


def may_keep(preferences: Preferences, rules: ConsentRules) -> bool:
    """Whether an event with these preferences may be stored."""
    if rules.keeps_refused and is_refusal(preferences):
        return True
    return agrees(preferences, ANALYTICS, is_required=rules.is_required)


def is_refusal(preferences: Preferences) -> bool:
    """Whether the visitor said no to being recorded: what is kept all the same is the owner's alone."""
    return preferences.get(ANALYTICS) is False


def agrees(preferences: Preferences, category: str, *, is_required: bool) -> bool:
    """Whether the visitor allows this purpose; one not asked does, unless it `is_required`."""
    return preferences.get(category) is True if is_required else preferences.get(category) is not False


def with_opt_out(preferences: Preferences) -> dict[str, Any]:
    """The preferences of a visitor whose browser says that his data is not for sale."""
    return {**preferences, MARKETING: False}


def is_refused(preferences: Preferences, categories: Collection[str], *, is_required: bool) -> bool:
    """Whether the visitor did not agree to one of these purposes; one not asked did, unless it `is_required`."""
    return not all(agrees(preferences, category.lower(), is_required=is_required) for category in categories)


def preferences_of(event: Event) -> Preferences:
    """What the visitor said, by categories in lower case; empty where nothing is known of it."""
    consent = event["context"].get("consent")
    said = consent.get("categoryPreferences") if isinstance(consent, Mapping) else None
    return understood(said) if isinstance(said, Mapping) else {}


def understood(said: Mapping[Any, Any]) -> Preferences:
    """Yes, no or None by categories in lower case. Where spellings of one category differ, a no is a no."""
    preferences: dict[str, bool | None] = {}
    for key, value in said.items():
        category = str(key).lower()
        if preferences.get(category) is not False:
            preferences[category] = answer(value)
    return preferences


def answer(value: Any) -> bool | None:
    """Yes or no, as consent banners write them; None for what is neither."""
    if isinstance(value, bool):
        return value
    return _WORDS.get(str(value).strip().lower()) if isinstance(value, str | int) else None
