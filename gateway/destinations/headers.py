"""Headers that an owner has sent along: names and values that HTTP allows, and values that are never shown."""

import re
from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import AfterValidator, SecretStr

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _printable(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().isprintable():
        raise ValueError("it holds characters that no header may")
    return value


HeaderSecret = Annotated[SecretStr, AfterValidator(_printable)]
"""A secret that travels in a header."""


def checked(headers: dict[str, SecretStr], reserved: Collection[str]) -> dict[str, SecretStr]:
    """The headers. Raises ValueError where HTTP would not take one, or it is ours to set (`reserved`, lower case)."""
    for name, value in headers.items():
        if not is_name(name) or name.lower() in reserved:
            raise ValueError(f'"{name}" cannot be set as a header')
        if not value.get_secret_value().isprintable():
            raise ValueError(f'the value of "{name}" holds characters that no header may')
    return headers


def is_name(text: str) -> bool:
    """Whether a header can be called so (RFC 9110)."""
    return _NAME.fullmatch(text) is not None


def revealed(headers: Mapping[str, SecretStr]) -> dict[str, str]:
    """As they are sent."""
    return {name: value.get_secret_value() for name, value in headers.items()}
