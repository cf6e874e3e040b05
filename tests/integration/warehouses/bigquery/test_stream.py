"""Rows by write streams."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from google.api_core.exceptions import NotFound, ServiceUnavailable
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteClient

from gateway.model.errors import WarehouseError
from gateway.warehouses.bigquery import arrow
from tests.integration.warehouses.contract import test_kills
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Store


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.warehouses.bigquery.stream.FIRST_PAUSE_S", 0)


@pytest.fixture
def streaming(place: Place) -> Place:
    return Place(place.kind, {**place.settings, "mode": "stream"})


async def test_every_type_of_value_comes_through(streaming: Place):
    told = {
        "n": 2**63 - 1,
        "x": 5e-324,
        "b": False,
        "t": "ä\n",
        "at": "2026-11-25T12:00:00.123456Z",
        "l": [1, {"a": None}],
    }
    async with streaming.open() as warehouse:
        store = Store(warehouse)
        await store.load(store.event(properties=told), store.event(properties={}))

        rows = await store.rows("select n, x, b, t, at, l from order_completed order by id")

    assert rows[0][:5] == (2**63 - 1, 5e-324, False, "ä\n", datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC))
    assert orjson.loads(rows[0][5]) == [1, {"a": None}]
    assert rows[1] == (None,) * 6


async def test_many_rows_go_in_several_batches(streaming: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arrow, "MOST_ROWS", 40)
    monkeypatch.setattr(arrow, "MOST_BYTES", 8_000)
    async with streaming.open() as warehouse:
        store = Store(warehouse)
        await store.load(*(store.event(properties={"text": "x" * 900}) for _ in range(100)))

        assert await store.rows("select count(*), count(distinct id) from order_completed") == [(100, 100)]


class Breaking:
    """The first connection that appends rows breaks after so many answers, though more of it was stored."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: int) -> None:
        self.answers: list[list[int]] = []
        append = BigQueryWriteClient.append_rows

        def append_rows(client: Any, requests: Any, **named: Any) -> Iterator[Any]:
            codes: list[int] = []
            self.answers.append(codes)
            for number, response in enumerate(list(append(client, requests, **named))):
                if len(self.answers) == 1 and number == answers:
                    raise ServiceUnavailable("the line broke")
                codes.append(response.error.code)
                yield response

        monkeypatch.setattr(BigQueryWriteClient, "append_rows", append_rows)


@pytest.mark.parametrize("answers", [0, 1])
async def test_rows_that_are_sent_again_are_stored_once(
    streaming: Place, monkeypatch: pytest.MonkeyPatch, answers: int
):
    monkeypatch.setattr(arrow, "MOST_ROWS", 40)
    async with streaming.open() as warehouse:
        store = Store(warehouse)
        breaking = Breaking(monkeypatch, answers)
        loaded = await store.load(*(store.event() for _ in range(100)))

        assert loaded.rows == 100
        assert breaking.answers[:2] == [[0] * answers, [6] * (4 - answers)]
        assert await store.rows("select count(*), count(distinct id) from tracks") == [(100, 100)]
        assert await store.one("select count(*) from _headwater_ids") == 100


async def test_a_line_that_stays_broken_fails_the_load_which_can_be_repeated(
    streaming: Place, monkeypatch: pytest.MonkeyPatch
):
    async with streaming.open() as warehouse:
        store = Store(warehouse)
        batches = store.batches(store.event())

        def broken(*_: Any, **__: Any) -> None:
            raise ServiceUnavailable("the line broke")

        with monkeypatch.context() as patched:
            patched.setattr(BigQueryWriteClient, "append_rows", broken)
            with pytest.raises(WarehouseError, match="the line broke"):
                await store.load_batches(batches)

        assert (await store.load_batches(batches)).rows == 1
        assert await store.one("select count(*) from tracks") == 1


async def test_a_table_that_is_not_known_yet_is_waited_for(streaming: Place, monkeypatch: pytest.MonkeyPatch):
    create = BigQueryWriteClient.create_write_stream
    tries = []

    def create_late(*arguments: Any, **named: Any) -> Any:
        tries.append(1)
        if len(tries) < 7:
            raise NotFound("Requested entity was not found")
        return create(*arguments, **named)

    monkeypatch.setattr(BigQueryWriteClient, "create_write_stream", create_late)
    async with streaming.open() as warehouse:
        loaded = await Store(warehouse).load({"type": "track", "messageId": "m", "event": "A"})

    assert loaded.rows == 1


async def test_a_server_that_is_not_there_is_said(streaming: Place):
    async with streaming.open(stream_endpoint="127.0.0.1:1") as warehouse:
        with pytest.raises(WarehouseError, match=r"BigQuery: .*connect"):
            await Store(warehouse).load({"type": "track", "messageId": "m", "event": "A"})


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_processes_that_are_killed_while_they_stream_store_every_event_once(streaming: Place):
    await test_kills.test_every_event_is_stored_once_whenever_the_process_is_killed(streaming)


async def test_what_is_streamed_and_what_is_loaded_is_told_apart_by_ids_alone(place: Place, streaming: Place):
    async with streaming.open() as warehouse:
        await Store(warehouse).load({"type": "track", "messageId": "m", "event": "A"})
    async with place.open() as warehouse:
        again = await Store(warehouse).load({"type": "track", "messageId": "m", "event": "A"})

    assert (again.rows, again.duplicates) == (0, 1)
