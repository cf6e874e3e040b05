"""Without transactions: whatever step of a load is the last, every event is there once and the graph is whole."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.model.clock import SystemClock
from gateway.model.errors import WarehouseError
from gateway.warehouses.clickhouse import CLICKHOUSE, ClickHouseSettings
from gateway.warehouses.clickhouse.answers import rows_of
from gateway.warehouses.clickhouse.http import Http
from gateway.warehouses.clickhouse.lease import Lease
from tests.integration.warehouses.support.places.clickhouse import serve
from tests.integration.warehouses.support.places.place import NewSettings
from tests.integration.warehouses.support.store import Event, Store


class Unhurried(SystemClock):
    """So much time passes between loads that no evidence has to wait."""

    def __init__(self) -> None:
        self._passed_s = 0.0

    def monotonic_s(self) -> float:
        self._passed_s += 100
        return super().monotonic_s() + self._passed_s


@pytest.fixture(scope="module")
def places() -> Iterator[NewSettings]:
    with serve() as new_settings:
        yield new_settings


@pytest.fixture
def settings(places: NewSettings, tmp_path: Path) -> ClickHouseSettings:
    return ClickHouseSettings.model_validate({**places(tmp_path), "lease": 2})


def stored(settings: ClickHouseSettings, sql: str) -> list[tuple[Any, ...]]:
    """As the tables are, whatever a later merge would make of them."""
    with closing(Http(settings)) as http:
        return rows_of(http.run(sql)[1]).rows


def events(numbers: range) -> list[Event]:
    """Of one device; every tenth names its user, who is another from the hundredth on."""
    return [
        {
            "type": "identify" if number % 10 == 0 else "track",
            "event": "Order Completed",
            "messageId": f"m{number}",
            "anonymousId": f"a{number // 100}",
            "userId": f"u{number // 100}" if number % 10 == 0 else None,
            "traits": {"email": f"{number % 200}@shop.example"},
        }
        for number in numbers
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_made", [True, False], ids=["made, and not answered", "not made"])
async def test_a_load_that_broke_off_anywhere_goes_on_where_it_was(
    places: NewSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_made: bool
):
    step, was_broken = 2 * is_made, True
    while was_broken:
        settings = ClickHouseSettings.model_validate({**places(tmp_path), "lease": 2})
        async with CLICKHOUSE.open(settings, Unhurried()) as warehouse:
            await Store(warehouse).load(*events(range(50)))
            with monkeypatch.context() as patch:
                break_at(patch, step, is_made=is_made)
                store = Store(warehouse)
                store.offset = 50
                was_broken = False
                try:
                    await store.load(*events(range(50, 150)))
                except WarehouseError:
                    was_broken = True

        async with CLICKHOUSE.open(settings, Unhurried()) as warehouse:
            store = Store(warehouse)
            store.offset = await warehouse.next_offset("log") or 0
            for some in (events(range(50, 120)), events(range(120, 150))):
                if store.offset < 150:
                    await store.load(*some)
            await warehouse.find_person("u0")

            assert stored(settings, "select count(), uniqExact(id) from tracks") == [(135, 135)]
            assert stored(settings, "select count(), uniqExact(id) from order_completed") == [(135, 135)]
            assert stored(settings, "select count(), uniqExact(id) from identifies") == [(15, 15)]
            assert await store.one("select count(distinct person_id) from person_events") == 2
            assert (await warehouse.rebuild_identity())["differences"] == 0
        step += 4
    assert step > 30


def break_at(patch: pytest.MonkeyPatch, step: int, *, is_made: bool) -> None:
    """From request number `step` on, the server is not reached."""
    send, requests = Http._send, iter(range(1_000_000))

    def breaking(*arguments: Any) -> Any:
        number = next(requests)
        answer = send(*arguments) if number < step or (is_made and number == step) else None
        if number >= step:
            raise WarehouseError("the connection is lost")
        return answer

    patch.setattr(Http, "_send", breaking)


async def test_of_two_who_want_the_lease_one_waits(settings: ClickHouseSettings):
    async with CLICKHOUSE.open(settings, SystemClock()):
        first, second = (Lease(lambda: Http(settings), lasts_s=0.5) for _ in range(2))
        first.take()
        waiting = threading.Thread(target=second.take)
        waiting.start()
        waiting.join(timeout=1.5)

        assert waiting.is_alive()
        first.ensure()
        first.give_back()
        waiting.join(timeout=5)
        assert not waiting.is_alive()
        second.give_back()
        first.close()
        second.close()


async def test_the_lease_of_one_who_died_ends(settings: ClickHouseSettings, monkeypatch: pytest.MonkeyPatch):
    async with CLICKHOUSE.open(settings, SystemClock()):
        dead, living = (Lease(lambda: Http(settings), lasts_s=0.5) for _ in range(2))
        monkeypatch.setattr(dead, "_prolong", lambda: None)
        dead.take()

        living.take()

        with pytest.raises(WarehouseError, match="another gateway may be writing"):
            dead.ensure()
        living.give_back()
        dead.close()
        living.close()
