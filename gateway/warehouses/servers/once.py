"""Errors are written for loads, which are tried again; what somebody asks is not."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.model.errors import WarehouseError

AGAIN = "it is tried again"


@contextmanager
def asked_once() -> Iterator[None]:
    """A WarehouseError from within does not say that anything is tried again."""
    try:
        yield
    except WarehouseError as error:
        if AGAIN not in error.hint:
            raise
        hint = error.hint.replace(f"; {AGAIN}", "").removeprefix(AGAIN).removeprefix("; ")
        raise WarehouseError(error.message, hint=hint) from error
