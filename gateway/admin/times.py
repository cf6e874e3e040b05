"""Moments as operators write them."""

import re

from gateway.admin.answers import RequestError
from gateway.config.units import parse_duration_s
from gateway.model.event import parse_time

_AGO = re.compile(r"(?P<duration>.+?)\s+ago", re.IGNORECASE)


def parse_moment_ms(text: str, now_ms: int) -> int:
    """Epoch milliseconds of "now", "2h ago", or an ISO 8601 date or time (UTC where it does not say)."""
    if text.strip().lower() == "now":
        return now_ms
    if found := _AGO.fullmatch(text.strip()):
        return now_ms - round(_duration_s(found["duration"]) * 1000)
    moment = parse_time(text)
    if moment is None:
        raise RequestError(f'"{text}" is not a time', hint='write "2h ago", "now" or "2026-05-01T08:00:00Z"')
    return round(moment.timestamp() * 1000)


def _duration_s(text: str) -> float:
    try:
        seconds = parse_duration_s(text)
    except ValueError as error:
        raise RequestError(str(error)) from error
    assert isinstance(seconds, float)
    return seconds
