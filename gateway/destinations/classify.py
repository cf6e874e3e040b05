"""The default reading of an HTTP answer, used unless a vendor differs.

408, 425, 429 and 5xx but 501 are temporary (RFC 9110); 401 and 403 need the owner; every other 4xx, and redirects,
which are never followed, are final.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from gateway.destinations.http_messages import Response
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

_TEMPORARY = frozenset({408, 425, 429})
_CREDENTIALS = frozenset({401, 403})
_SERVER_ERROR = 500
_NOT_IMPLEMENTED = 501
_EXCERPT_CHARACTERS = 300


def classify_by_status(response: Response) -> Outcome:
    """The outcome for every event of the request, from the status alone."""
    status = response.status
    if 200 <= status < 300:  # noqa: PLR2004 - the class of success
        return Delivered()
    if status in _CREDENTIALS:
        return Halt(f"HTTP {status}")
    if status in _TEMPORARY or (status >= _SERVER_ERROR and status != _NOT_IMPLEMENTED):
        return Retry(f"HTTP {status}", retry_after_s(response))
    return Reject(in_words(response))


def in_words(response: Response) -> str:
    """The status, and what the peer says beside it."""
    said = excerpt(response)
    return f"HTTP {response.status}: {said}" if said else f"HTTP {response.status}"


def excerpt(response: Response) -> str:
    """The start of the body as text, for a dead letter: vendors say there what they did not like."""
    return " ".join(response.body[: 4 * _EXCERPT_CHARACTERS].decode(errors="replace").split())[:_EXCERPT_CHARACTERS]


def answer(response: Response) -> Mapping[str, Any]:
    """The JSON object that the body is; empty where it is none."""
    try:
        found = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def retry_after_s(response: Response) -> float | None:
    """Seconds that the peer asked for: both forms of Retry-After (RFC 9110), a date being measured by its Date."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        sent = parsedate_to_datetime(response.headers["date"])
    except (ValueError, KeyError):
        return None
    return max(0.0, (_aware(moment) - _aware(sent)).total_seconds())


def classify_in_words(response: Response, words: str | None) -> Outcome:
    """As `classify_by_status`; a refusal says why in the vendor's words, where it had any."""
    outcome = classify_by_status(response)
    if not words or not isinstance(outcome, Halt | Reject):
        return outcome
    return type(outcome)(f"HTTP {response.status}: {' '.join(words.split())[:_EXCERPT_CHARACTERS]}")


def blame(faults: Mapping[int, str], sent: int) -> Partial | None:
    """The outcome of a request that was refused as a whole because of some of its `sent` events, which the vendor named
    by their places: these are refused, the others are to be sent again. None where it named nobody."""
    if not any(place in faults for place in range(sent)):
        return None
    others = Retry("refused together with an event that was at fault")
    return Partial(
        [Reject(faults[place][:_EXCERPT_CHARACTERS]) if place in faults else others for place in range(sent)]
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
