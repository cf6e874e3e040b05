"""What a visitor's consent allows: the browser script obeys it, and what reaches us all the same is judged again.

Consent is `context.consent.categoryPreferences`, as in Segment's consent management: categories by name, true or false.
Two mean something here. `analytics`: whether the event may be kept at all. `marketing`: whether it may serve ads.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from gateway.model.event import Event

ANALYTICS = "analytics"
MARKETING = "marketing"

Preferences = Mapping[str, Any]


class ConsentRules(NamedTuple):
    """What the owner of a source decided."""

    is_required: bool
    """Events without consent are not kept; otherwise only those whose visitor refused are not."""
    honours_gpc: bool
    """Global Privacy Control (the header Sec-GPC) is a refusal of marketing."""
    honours_dnt: bool
    """Do Not Track (the header DNT) is a refusal of everything."""


def may_keep(preferences: Preferences, rules: ConsentRules) -> bool:
    """Whether an event with these preferences may be stored."""
    analytics = preferences.get(ANALYTICS)
    return analytics is True if rules.is_required else analytics is not False


def with_opt_out(preferences: Preferences) -> dict[str, Any]:
    """The preferences of a visitor whose browser says that his data is not for sale."""
    return {**preferences, MARKETING: False}


def is_refused(preferences: Preferences, categories: Collection[str], *, is_required: bool) -> bool:
    """Whether the visitor did not agree to one of these purposes; one not asked did, unless it `is_required`."""
    if is_required:
        return any(preferences.get(category) is not True for category in categories)
    return any(preferences.get(category) is False for category in categories)


def preferences_of(event: Event) -> Preferences:
    """What the visitor said; empty where nothing is known of it."""
    consent = event["context"].get("consent")
    said = consent.get("categoryPreferences") if isinstance(consent, Mapping) else None
    return said if isinstance(said, Mapping) else {}
