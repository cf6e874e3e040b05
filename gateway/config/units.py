"""Durations ("90s", "24h", "7d"), sizes ("512KiB", "10GB") and addresses as people write them."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.config.texts import like

_SECONDS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86_400),
    "w": Decimal(604_800),
}
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
_QUANTITY = re.compile(r"\s*(\d{1,18}(?:\.\d{1,9})?)\s*([A-Za-z]+)\s*", re.ASCII)
_HOST_AND_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})", re.ASCII)
_CENTURY_S = 100 * 366 * 86_400
_LARGEST_FILE_BYTES = 2**63 - 1
_LAST_PORT = 65_535
_LONGEST_SOCKET_PATH = 107


def parse_duration_s(value: object) -> object:
    """Seconds from "24h"; a number is taken as seconds. Anything else is left for pydantic to refuse."""
    if isinstance(value, bool):
        raise ValueError(_DURATION)  # noqa: TRY004 - pydantic turns ValueError alone into a fault
    if not isinstance(value, str):
        return value
    found = _QUANTITY.fullmatch(value)
    if found is None or found[2].lower() not in _SECONDS:
        raise ValueError(_DURATION)
    return float(Decimal(found[1]) * _SECONDS[found[2].lower()])


def duration_in_words(seconds: float) -> str:
    """As people write it, in the largest unit of which it is a whole number: "72 h"; days from a week on."""
    for unit in ("d", "h", "m"):
        size = int(_SECONDS[unit])
        if seconds and seconds % size == 0 and (unit != "d" or seconds >= _SECONDS["w"]):
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def written_size(size: int) -> str:
    """As people write it, in the largest unit of which it is a whole number."""
    units = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "B": 1}
    unit = next(unit for unit, each in units.items() if size % each == 0)
    return f"{size // units[unit]} {unit}"


def parse_size_bytes(value: object) -> object:
    """Bytes from "10GiB"; a number is taken as bytes. Anything else is left for pydantic to refuse."""
    if isinstance(value, bool):
        raise ValueError(_SIZE)  # noqa: TRY004 - pydantic turns ValueError alone into a fault
    if not isinstance(value, str):
        return value
    found = _QUANTITY.fullmatch(value)
    if found is None or found[2].upper() not in _BYTES:
        raise ValueError(_SIZE)
    return int(Decimal(found[1]) * _BYTES[found[2].upper()])


def check_address(value: str) -> str:
    """`value`, when it is "host:port", "[ipv6]:port" or "unix:/path"."""
    found = _HOST_AND_PORT.fullmatch(value)
    path = value.removeprefix("unix:")
    is_socket = value.startswith("unix:/") and len(path.encode()) <= _LONGEST_SOCKET_PATH and "\0" not in path
    if not is_socket and (found is None or int(found[1]) > _LAST_PORT):
        raise ValueError('write an address and a port, like "127.0.0.1:8080" or "[::1]:8080", or "unix:/run/NAME"')
    return value


_DURATION = 'write a duration as a number and a unit, like "30s", "15m", "24h" or "7d"'
_SIZE = 'write a size as a number and a unit, like "512KiB", "64MiB" or "10GB"'

Duration = Annotated[float, BeforeValidator(parse_duration_s), Field(ge=0, le=_CENTURY_S, allow_inf_nan=False)]
"""Seconds."""
Size = Annotated[int, BeforeValidator(parse_size_bytes), Field(ge=0, le=_LARGEST_FILE_BYTES)]
"""Bytes."""
BaseUrl = Annotated[
    str,
    like(
        r"https?://[^/\s?#]+[^\s?#]*",
        'write an address that begins with http:// or https://, without ? and #, like "https://api.example"',
    ),
    AfterValidator(lambda url: url.rstrip("/")),
]
"""Where an API is, without what its paths begin with; kept without a slash at the end."""
Address = Annotated[str, AfterValidator(check_address)]
"""host:port, or unix:/path."""
