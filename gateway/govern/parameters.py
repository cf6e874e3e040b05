"""Query parameters of addresses, whose values an owner does not want. Pure."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import unquote_plus

_SEPARATOR = re.compile("([?&#])")


def blanked(address: str, names: Collection[str]) -> str:
    """The address, whole or its query alone, where parameters with these names (in lower case) have no value.

    Those behind a # count as well: tokens are handed over there.
    """
    return "".join(_pieces(address, names)) if "=" in address else address


def _pieces(address: str, names: Collection[str]) -> Iterator[str]:
    is_within = False
    for piece in _SEPARATOR.split(address):
        if piece == "?" and is_within:  # a value may hold one
            continue
        if piece in {"?", "&", "#"}:
            is_within = False
            yield piece
        elif not is_within:
            name, equals, _ = piece.partition("=")
            is_within = bool(equals) and unquote_plus(name).lower() in names
            yield f"{name}=" if is_within else piece
