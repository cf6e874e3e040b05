"""What a visitor's consent means in Google's words: for each of two purposes granted, denied, or not known.

Source: Google's consent mode (the types `ad_user_data` and `ad_personalization`), which the Measurement Protocol, the
Google Ads API and the Data Manager API all ask for.
"""

from collections.abc import Mapping, Sequence

from gateway.destinations.fields import find
from gateway.govern.consent import preferences_of
from gateway.model.event import Event

AD_USER_DATA = "ad_user_data"
AD_PERSONALIZATION = "ad_personalization"

_WORDS = {"granted": True, "denied": False}


def consent_of(event: Event, categories: Mapping[str, Sequence[str]]) -> dict[str, bool]:
    """For each type that anything is known of: whether it is granted.

    What the event says in Google's own names goes first. Otherwise `categories` lead from a type to the site's own:
    all of them granted is a grant, one refused is a denial.
    """
    answers = {kind: _said(event, kind) for kind in categories}
    preferences = preferences_of(event)
    for kind, names in categories.items():
        given = [preferences.get(name) for name in names]
        if answers[kind] is None and (False in given or (given and all(each is True for each in given))):
            answers[kind] = False not in given
    return {kind: answer for kind, answer in answers.items() if answer is not None}


def _said(event: Event, kind: str) -> bool | None:
    """In the preferences, or beside them as consent mode writes it: "granted", "denied"."""
    for path in (f"context.consent.categoryPreferences.{kind}", f"context.consent.{kind}"):
        value = find(event, path)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in _WORDS:
            return _WORDS[value.strip().lower()]
    return None
