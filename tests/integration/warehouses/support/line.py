"""Connections that break, and loads over them that are repeated."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.model.envelope import Batch
from gateway.model.errors import WarehouseError
from tests.integration.warehouses.support.store import Store

MOST_STEPS = 100


class Line:
    """The connection of all sessions of a class, which breaks at one of its statements: before that was run, or before
    its answer came. `methods` are those that run one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, session: type[Any], *methods: str) -> None:
        self.steps = 0
        self.breaks_at: int | None = None
        self.is_run = False
        for method in methods:
            monkeypatch.setattr(session, method, self._breaking(getattr(session, method)))

    def break_at(self, step: int | None, *, is_run: bool = False) -> None:
        self.steps, self.breaks_at, self.is_run = 0, step, is_run

    async def load(self, store: Store, batches: list[Batch]) -> bool:
        """Once, and again where the line breaks; whether it broke."""
        try:
            await store.load_batches(batches)
        except WarehouseError:
            self.break_at(None)
            await store.load_batches(batches)
            return True
        self.break_at(None)
        return False

    def _breaking(self, run: Callable[..., Any]) -> Callable[..., Any]:
        def ran(session: Any, *arguments: Any) -> Any:
            breaks = self.steps == self.breaks_at
            self.steps += 1
            if breaks and not self.is_run:
                self._break(session)
            answer = run(session, *arguments)
            if breaks:
                self._break(session)
            return answer

        return ran

    def _break(self, session: Any) -> None:
        session.close()
        raise WarehouseError("the line broke")


def visit(store: Store) -> list[Batch]:
    """A track, and an identify that links somebody new."""
    number = store.offset
    identify = store.event(type_="identify", userId=f"u{number}", anonymousId=f"a{number}", traits={"plan": "free"})
    return store.batches(store.event(anonymousId=f"a{number}", properties={"total": 5}), identify)


async def assert_exact_wherever_it_breaks(store: Store, line: Line, *, is_run: bool) -> None:
    """Loads, each of which breaks off one step later than the one before, until one does not."""
    await store.load_batches(visit(store))
    for step in range(MOST_STEPS):
        batches = visit(store)
        line.break_at(step, is_run=is_run)
        if not await line.load(store, batches):
            break

    visits = store.offset // 2
    assert 15 < visits < MOST_STEPS
    for table in ("tracks", "order_completed", "identifies"):
        assert await store.rows(f"select count(*), count(distinct id) from {table}") == [(visits, visits)]
    assert await store.rows("select count(*), sum(events) from persons where is_known") == [(visits, 2 * visits)]
    assert await store.warehouse.next_offset("log") == store.offset


async def assert_it_grows_wherever_it_breaks(store: Store, line: Line) -> None:
    """The same of loads that need a table and a column of their own."""
    for step in range(MOST_STEPS):
        batches = store.batches(store.event(event=f"Step {step}", properties={f"key_{step}": step}))
        line.break_at(step, is_run=True)
        broke = await line.load(store, batches)
        assert await store.rows(f"select key_{step} from step_{step}") == [(step,)]
        if not broke:
            break
    assert step > 15
