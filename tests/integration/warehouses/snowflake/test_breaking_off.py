"""A load that breaks off, wherever it does, is exact once it has been repeated."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.model.envelope import Batch
from gateway.model.errors import WarehouseError
from gateway.warehouses.snowflake.session import SnowflakeSession
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Store

MOST_STEPS = 100
ran = SnowflakeSession._ran


class Line:
    """The connection, which breaks at one of its statements: before that was run, or before its answer came."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps = 0
        self.breaks_at: int | None = None
        self.is_run = False
        line = self

        @contextmanager
        def breaking(session: SnowflakeSession, sql: str) -> Iterator[Any]:
            breaks = line.steps == line.breaks_at
            line.steps += 1
            if breaks and not line.is_run:
                line._break(session)
            with ran(session, sql) as cursor:
                if breaks:
                    line._break(session)
                yield cursor

        monkeypatch.setattr(SnowflakeSession, "_ran", breaking)

    def break_at(self, step: int | None, *, is_run: bool = False) -> None:
        self.steps, self.breaks_at, self.is_run = 0, step, is_run

    def _break(self, session: SnowflakeSession) -> None:
        session.close()
        raise WarehouseError("the line broke")


def visit(store: Store) -> list[Batch]:
    """A track, and an identify that links somebody new."""
    number = store.offset
    identify = store.event(type_="identify", userId=f"u{number}", anonymousId=f"a{number}", traits={"plan": "free"})
    return store.batches(store.event(anonymousId=f"a{number}", properties={"total": 5}), identify)


@pytest.mark.parametrize("is_run", [False, True], ids=["before it was run", "before its answer came"])
async def test_at_any_statement(place: Place, monkeypatch: pytest.MonkeyPatch, is_run: bool):
    line = Line(monkeypatch)
    async with place.open() as warehouse:
        store = Store(warehouse)
        await store.load_batches(visit(store))
        for step in range(MOST_STEPS):
            batches = visit(store)
            line.break_at(step, is_run=is_run)
            try:
                await store.load_batches(batches)
            except WarehouseError:
                line.break_at(None)
                await store.load_batches(batches)
            if line.breaks_at is not None:
                break
        line.break_at(None)
        await store.load_batches(visit(store))

        visits = store.offset // 2
        assert 15 < visits < MOST_STEPS
        assert await store.rows("select count(*), count(distinct id) from tracks") == [(visits, visits)]
        assert await store.rows("select count(*), count(distinct id) from order_completed") == [(visits, visits)]
        assert await store.rows("select count(*), count(distinct id) from identifies") == [(visits, visits)]
        assert await store.rows("select count(*), sum(events) from persons where is_known") == [(visits, 2 * visits)]
        assert await store.warehouse.next_offset("log") == store.offset


async def test_while_the_schema_grows(place: Place, monkeypatch: pytest.MonkeyPatch):
    line = Line(monkeypatch)
    async with place.open() as warehouse:
        store = Store(warehouse)
        await store.load_batches(visit(store))
        for step in range(MOST_STEPS):
            batches = store.batches(store.event(event=f"Step {step}", properties={f"key_{step}": step}))
            line.break_at(step, is_run=True)
            try:
                await store.load_batches(batches)
            except WarehouseError:
                line.break_at(None)
                await store.load_batches(batches)
            if line.breaks_at is not None:
                break
            assert await store.rows(f"select key_{step} from step_{step}") == [(step,)]
        assert step > 15
