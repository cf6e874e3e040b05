"""Which questions may be asked: Snowflake has no transaction that cannot write.

A question is one statement, for the driver sends no more. What changes data begins with a word of its own, except
within a chain of statements (`->>`); what changes data nevertheless (a procedure that is called as a table) is undone,
because the transaction around a question is never committed. Only a statement that ends that transaction would not be,
and those are the ones with a word of their own.
"""

from gateway.model.errors import WarehouseError
from gateway.warehouses.servers.question import check_first_word

READING = frozenset({"select", "with", "show", "describe", "desc", "explain"})


def check(sql: str) -> None:
    """Raises WarehouseError when the statement may do anything but read."""
    check_first_word(sql, READING)
    if "->>" in sql:
        raise WarehouseError(
            "a question is one statement, without ->>", hint="a value of a VARIANT is read by _extra:properties.price"
        )
