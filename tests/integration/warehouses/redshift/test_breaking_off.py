"""A load that breaks off, wherever it does, is exact once it has been repeated."""

import pytest

from tests.integration.warehouses.support.line import (
    Line,
    assert_exact_wherever_it_breaks,
    assert_it_grows_wherever_it_breaks,
)
from tests.integration.warehouses.support.places.redshift import StandIn
from tests.integration.warehouses.support.store import Store


@pytest.mark.parametrize("is_run", [False, True], ids=["before it was run", "before its answer came"])
async def test_at_any_statement(store: Store, monkeypatch: pytest.MonkeyPatch, is_run: bool):
    await assert_exact_wherever_it_breaks(
        store, Line(monkeypatch, StandIn, "execute", "fetch", "_copy_from"), is_run=is_run
    )


async def test_while_the_schema_grows(store: Store, monkeypatch: pytest.MonkeyPatch):
    await assert_it_grows_wherever_it_breaks(store, Line(monkeypatch, StandIn, "execute", "fetch", "_copy_from"))
