"""What a question may begin with, for servers that have no transaction that cannot write."""

import re
from collections.abc import Collection

from gateway.model.errors import WarehouseError

_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/)*([a-z]*)", re.DOTALL | re.IGNORECASE)


def check_first_word(sql: str, words: Collection[str]) -> None:
    """Raises WarehouseError when the statement begins with none of these words, which are in lower case."""
    first = _FIRST_WORD.match(sql)
    if first is None or first[1].lower() not in words:
        listed = ", ".join(sorted(word.upper() for word in words))
        raise WarehouseError("a question only reads", hint=f"begin it with one of {listed}")
