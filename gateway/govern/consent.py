"""What a visitor's consent allows: the browser script obeys it, and what reaches us all the same is judged again.

Consent is `context.consent.categoryPreferences`, as in Segment's consent management: categories by name, true or false.
Two mean something here. `analytics`: whether the event may be kept at all. `marketing`: whether it may serve ads.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

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
