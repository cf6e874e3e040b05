"""Secrets are never shown: not in what a destination would be sent, and not where its answer repeats them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

MASK = "***"
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})


def masking(settings: BaseModel) -> Callable[[Any], Any]:
    """What puts `***` where a secret of the settings stands, and in the place of credentials."""
    plain = {secret for secret in secrets_in(settings) if secret}
    secrets = sorted(plain | {quote(secret, safe="") for secret in plain}, key=len, reverse=True)

    def masked(value: Any, key: str = "") -> Any:
        if isinstance(value, str):
            if key in _CREDENTIALS:
                return MASK
            for secret in secrets:
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, Mapping):
            return {name: masked(held, str(name)) for name, held in value.items()}
        return [masked(held) for held in value] if isinstance(value, list) else value

    return masked


def secrets_in(value: Any) -> Iterator[str]:
    """Every secret in settings, however deep."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from secrets_in(held)
    elif isinstance(value, list | tuple):
        for held in value:
            yield from secrets_in(held)
