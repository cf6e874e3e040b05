"""What a request of GA4 says of the visitor's consent, as `context.consent.categoryPreferences` of the Segment spec:
true or false for each of Google's four types that it says anything of.

Source: developers.google.com/analytics/devguides/collection/protocol/ga4/reference (`consent`) and, for gcs and gcd,
which Google does not document, simoahava.com/analytics/consent-mode-v2-google-tags.
"""

import re
from typing import Any

from gateway.collect.dialects.values import Fields, object_of, text_of

TYPES = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")

_GCS = re.compile(r"G1([01-])([01-])")
_GCD_LETTERS = re.compile(r"1[0-9]([a-z])[0-9]([a-z])[0-9]([a-z])[0-9]([a-z])[0-9].*")
_GRANTED, _DENIED = frozenset("nrtv"), frozenset("mpqu")
"""The letter also says how it came about: by default, by the visitor's choice, or by that against the default."""


_OURS = {"analytics_storage": "analytics", "ad_storage": "marketing"}
"""What decides whether an event is kept, and what it may be used for, has one name here whoever sent it."""


def consent_of(preferences: Fields) -> Fields:
    """The `consent` of a context; empty where nothing is known."""
    ours = {ours: preferences[google] for google, ours in _OURS.items() if google in preferences}
    return {"categoryPreferences": {**preferences, **ours}} if preferences else {}


def in_protocol(consent: Any) -> Fields:
    """From `{"ad_user_data": "GRANTED", "ad_personalization": "DENIED"}`."""
    said = {name: text_of(value).upper() for name, value in object_of(consent).items() if name in TYPES}
    return {name: value == "GRANTED" for name, value in said.items() if value in {"GRANTED", "DENIED"}}


def in_query(gcs: str, gcd: str) -> Fields:
    """From gtag's two parameters. gcd knows all four types, and what it does not know of two of them gcs may."""
    status, data = _GCS.fullmatch(gcs), _GCD_LETTERS.fullmatch(gcd)
    known = {
        name: digit == "1"
        for name, digit in zip(TYPES, status.groups() if status else (), strict=False)
        if digit != "-"
    }
    letters = zip(TYPES, data.groups() if data else (), strict=False)
    return known | {name: letter in _GRANTED for name, letter in letters if letter in _GRANTED | _DENIED}
