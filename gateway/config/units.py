"""Durations ("90s", "24h", "7d") and sizes ("512KiB", "10GB") as people write them."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "TIB": 2**40,
}
_QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")


def parse_duration_s(value: object) -> object:
    """Seconds from "24h"; a number is taken as seconds. Anything else is left for pydantic to refuse."""
    if not isinstance(value, str):
        return value
    found = _QUANTITY.fullmatch(value)
    if found is None or found[2].lower() not in _SECONDS:
        raise ValueError('write a duration as a number and a unit, like "30s", "15m", "24h" or "7d"')
    return float(found[1]) * _SECONDS[found[2].lower()]


def parse_size_bytes(value: object) -> object:
    """Bytes from "10GiB"; a number is taken as bytes. Anything else is left for pydantic to refuse."""
    if not isinstance(value, str):
        return value
    found = _QUANTITY.fullmatch(value)
    if found is None or found[2].upper() not in _BYTES:
        raise ValueError('write a size as a number and a unit, like "512KiB", "64MiB" or "10GB"')
    return int(float(found[1]) * _BYTES[found[2].upper()])


Duration = Annotated[float, BeforeValidator(parse_duration_s), Field(ge=0)]
"""Seconds."""
Size = Annotated[int, BeforeValidator(parse_size_bytes), Field(ge=0)]
"""Bytes."""
