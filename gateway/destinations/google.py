"""What Google's destinations share: consent in Google's words, times that are not in the future, and OAuth tokens.

Source: Google's consent mode (the types `ad_user_data` and `ad_personalization`), which the Measurement Protocol, the
Google Ads API and the Data Manager API all ask for; "Using OAuth 2.0 for web server applications", refreshing a token.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import orjson

from gateway.destinations.classify import classify_by_status
from gateway.destinations.contract import Token
from gateway.destinations.fields import as_number, as_text, find, milliseconds, timestamp_ms
from gateway.destinations.http_messages import Request, Response
from gateway.govern.consent import preferences_of
from gateway.model.event import Event
from gateway.model.outcome import Halt, Retry

AD_USER_DATA = "ad_user_data"
AD_PERSONALIZATION = "ad_personalization"

_WORDS = {"granted": True, "denied": False}
_OWNERS_TO_MEND = frozenset({400, 401, 403})
"""Google answers 400 where the refresh token was withdrawn (`invalid_grant`)."""


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


def happened_ms(event: Event) -> int:
    """When it happened, and never after it was received: Google takes nothing from the future."""
    received_ms = timestamp_ms(event.get("receivedAt"))
    return milliseconds(event) if received_ms is None else min(milliseconds(event), received_ms)


def refreshing(url: str, client_id: str, client_secret: str, refresh_token: str) -> Request:
    """Asks for an access token."""
    form = {
        "client_id": client_id,
        "client_secret": client_secret,
        "refresh_token": refresh_token,
        "grant_type": "refresh_token",
    }
    return Request(url, urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"})


def read_token(response: Response) -> Token | Retry | Halt:
    """The access token, or why there is none."""
    body = json_of(response)
    value, lasts_s = body.get("access_token"), as_number(body.get("expires_in"))
    outcome = classify_by_status(response)
    if isinstance(outcome, Retry):
        return outcome
    if response.status in _OWNERS_TO_MEND:
        return Halt(f"no access token: {as_text(body.get('error')) or f'HTTP {response.status}'}")
    if isinstance(value, str) and value and lasts_s is not None:
        return Token(value, lasts_s)
    return Retry(f"no access token in the answer (HTTP {response.status})")


def json_of(response: Response) -> Mapping[str, object]:
    """The object in an answer; empty where there is none."""
    try:
        body = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _said(event: Event, kind: str) -> bool | None:
    """In the preferences, or beside them as consent mode writes it: "granted", "denied"."""
    for path in (f"context.consent.categoryPreferences.{kind}", f"context.consent.{kind}"):
        value = find(event, path)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in _WORDS:
            return _WORDS[value.strip().lower()]
    return None
