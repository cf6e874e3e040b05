"""Which questions may be asked: Snowflake has no transaction that cannot write.

A question is one statement, for the driver sends no more. What changes data begins with a word of its own, except
within a chain of statements (`->>`); what changes data nevertheless (a procedure that is called as a table) is undone,
because the transaction around a question is never committed. Only a statement that ends that transaction would not be,
and those are the ones with a word of their own.
"""

import re

from gateway.model.errors import WarehouseError

READING = frozenset({"select", "with", "show", "describe", "desc", "explain"})

_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*(?:\n|$)|//[^\n]*(?:\n|$)|/\*.*?\*/)*([a-z]*)", re.DOTALL | re.IGNORECASE)


def check(sql: str) -> None:
    """Raises WarehouseError when the statement may do anything but read."""
    first = _FIRST_WORD.match(sql)
    if first is None or first[1].lower() not in READING:
        words = ", ".join(sorted(word.upper() for word in READING))
        raise WarehouseError("a question only reads", hint=f"begin it with one of {words}")
    if "->>" in sql:
        raise WarehouseError(
            "a question is one statement, without ->>", hint="a value of a VARIANT is read by _extra:properties.price"
        )
