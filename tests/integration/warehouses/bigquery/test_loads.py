"""What a load sends, and what is left of it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from gateway.model.clock import SystemClock
from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.bigquery import session as sessions
from gateway.warehouses.bigquery.api import Api
from gateway.warehouses.bigquery.jobs import Jobs
from gateway.warehouses.bigquery.staging import KEPT_MS, PREFIX, Staging
from gateway.warehouses.names import TABLES_OF_TYPE
from gateway.warehouses.servers import entries
from tests.integration.warehouses.support.any_event import TYPED
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, Store


class Sent:
    """The queries and the loads that were asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scripts: list[str] = []
        self.loads: list[str] = []
        query, load = Jobs.start_query, Jobs.start_load

        def start_query(jobs: Jobs, sql: str, **named: Any) -> Any:
            self.scripts += [sql] if sql.startswith("begin transaction") else []
            return query(jobs, sql, **named)

        def start_load(jobs: Jobs, table: str, file: Any) -> Any:
            self.loads.append(table)
            return load(jobs, table, file)

        monkeypatch.setattr(Jobs, "start_query", start_query)
        monkeypatch.setattr(Jobs, "start_load", start_load)


def tables(place: Place) -> list[dict[str, Any]]:
    settings = place.settings
    path = f"projects/{settings['project']}/datasets/{settings['dataset']}/tables?maxResults=1000"
    answer = requests.get(f"{settings['endpoint']}/bigquery/v2/{path}", timeout=10)
    answer.raise_for_status()
    return list(answer.json()["tables"])


def staged(place: Place) -> list[str]:
    names = [table["tableReference"]["tableId"] for table in tables(place)]
    assert "tracks" in names
    return [name for name in names if name.startswith(PREFIX)]


async def test_a_load_is_one_script(store: Store, monkeypatch: pytest.MonkeyPatch):
    await store.load(store.event(), store.event("page"))
    sent = Sent(monkeypatch)

    await store.load(store.event(), store.event("page"), store.event("identify", userId="u1"))

    [script] = sent.scripts
    statements = script.split(";\n")
    assert (statements[0], statements[-1]) == ("begin transaction", "commit transaction")
    changed = [" ".join(statement.split()[:3]) for statement in statements[3:-1]]
    for table in ("_headwater_ids", "tracks", "order_completed", "pages", "identifies", "_headwater_claims"):
        assert f"insert into `{table}`" in changed
    assert changed[-2:] == ["delete from `_headwater_cursors`", "insert into `_headwater_cursors`"]
    assert len(sent.loads) == len(set(sent.loads)) >= 6


async def test_nothing_that_was_staged_stays(place: Place, store: Store):
    await store.load(store.event(), store.event("identify", userId="u1"))

    assert staged(place) == []


async def test_nor_after_a_load_that_failed(place: Place, store: Store, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any) -> None:
        raise WarehouseError("no")

    monkeypatch.setattr(Staging, "finish", refuse)
    with pytest.raises(WarehouseError, match="no"):
        await store.load(store.event())

    assert staged(place) == []


async def test_what_a_killed_gateway_leaves_goes_by_itself(place: Place, store: Store, monkeypatch: pytest.MonkeyPatch):
    post = Api.post
    asked: dict[str, int] = {}

    def told(api: Api, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("/tables"):
            asked[body["tableReference"]["tableId"]] = int(body["expirationTime"])
        return post(api, path, body)

    monkeypatch.setattr(Api, "post", told)
    monkeypatch.setattr(Staging, "clear", lambda _: None)
    before_ms = SystemClock().now_ms()
    await store.load(store.event())

    assert sorted(asked) == sorted(staged(place)) != []
    assert all(before_ms + KEPT_MS <= expires <= SystemClock().now_ms() + KEPT_MS for expires in asked.values())


async def test_events_are_in_partitions_by_the_day_of_their_arrival(store: Store):
    await store.load(store.event())

    day = RECEIVED_AT_MS // 86_400_000
    assert await store.one(f"select count(*) from tracks where date(received_at) = date_from_unix_date({day})") == 1


async def test_a_load_for_too_many_tables_is_to_be_split(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "MOST_FILLED", 4)
    events = [store.event(event=f"Event {number}") for number in range(5)]

    with pytest.raises(WarehouseRowError, match="too many for one transaction of BigQuery"):
        await store.load(*events)
    loaded = [await store.load(*some) for some in (events[:2], events[2:3], events[3:])]

    assert [each.rows for each in loaded] == [2, 1, 2]


async def test_a_script_that_is_too_long_is_to_be_split(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "LONGEST_SCRIPT_BYTES", 1_000)

    with pytest.raises(WarehouseRowError, match="too many for one transaction of BigQuery"):
        await store.load(store.event())


async def test_many_hashes_go_by_a_table(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(entries, "HASHES_IN_SCRIPT", 0)
    for user in ("ann", "bob"):
        await store.load(store.event("identify", anonymousId=f"d of {user}", userId=user))

    await store.load(store.event("alias", anonymousId="d of bob", userId="bob", previousId="ann"))
    assert await store.one("select count(distinct person_id) from identities") == 1
    await store.warehouse.unmerge("ann", "bob")

    identities = "select count(*), count(distinct identifier), count(distinct person_id) from identities"
    assert await store.rows(f"{identities} where identifier_type = 'user_id'") == [(2, 2, 2)]
    assert (await store.warehouse.rebuild_identity())["differences"] == 0
    assert await store.one("select count(*) from _headwater_gone") == 0


async def test_two_gateways_at_once_store_an_event_once(place: Place):
    async def load(store: Store) -> tuple[int, int]:
        batches = store.batches(*events)
        try:
            loaded = await store.load_batches(batches)
        except WarehouseError:
            loaded = await store.load_batches(batches)
        return loaded.rows, loaded.duplicates

    async with place.open() as first, place.open() as second:
        left, right = Store(first), Store(second)
        left.log_id, right.log_id = "left", "right"
        events = [left.event(userId=f"u{n}", messageId=f"m{n}") for n in range(100)]

        assert sorted(await asyncio.gather(load(left), load(right))) == [(0, 100), (100, 0)]
        assert await left.rows("select count(*), count(distinct id) from tracks") == [(100, 100)]


async def test_a_gateway_that_was_overtaken_stores_nothing_and_begins_anew(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
):
    async with place.open() as warehouse:
        other = Store(warehouse)
        other.log_id = "other"
        batches = store.batches(store.event(messageId="m"))
        add = Staging.add
        overtaking = []

        def add_late(*arguments: Any) -> str:
            if not overtaking:
                overtaking.append(True)
                asyncio.run_coroutine_threadsafe(other.load(other.event(messageId="m")), loop).result()
            return add(*arguments)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(Staging, "add", add_late)

        with pytest.raises(WarehouseError, match="another gateway has stored something meanwhile"):
            await store.load_batches(batches)
        assert await store.warehouse.next_offset("log") is None
        loaded = await store.load_batches(batches)

    assert (loaded.rows, loaded.duplicates) == (0, 1)
    assert await store.one("select count(*) from tracks") == 1


async def test_every_file_has_the_types_of_its_table(store: Store, monkeypatch: pytest.MonkeyPatch):
    """BigQuery takes no column of a file for one of another type, which the emulator does."""
    add = Staging.add
    told: dict[str, set[tuple[str, str]]] = {}

    def noted(staging: Staging, file: Path, types: Mapping[str, str]) -> str:
        with duckdb.connect() as reader:
            described = reader.execute(f"describe select * from read_parquet('{file}')").fetchall()
        assert [column[0] for column in described] == list(types)
        for column, kind in zip(described, types.values(), strict=True):
            told.setdefault(kind, set()).add((column[0], column[1]))
        return add(staging, file, types)

    monkeypatch.setattr(Staging, "add", noted)
    rich: dict[str, Any] = {"properties": TYPED, "traits": TYPED, "context": TYPED}
    for fields in (rich, {}):
        await store.load(
            *(store.event(type_, userId="u1", previousId="u2", groupId="g", **fields) for type_ in TABLES_OF_TYPE),
            store.event("page", anonymousId=None, userId="u3"),
        )
    await store.warehouse.unmerge("u1", "u2")

    assert {kind: {type_ for _, type_ in columns} for kind, columns in told.items()} == {
        "STRING": {"VARCHAR"},
        "INT64": {"BIGINT"},
        "FLOAT64": {"DOUBLE"},
        "BOOL": {"BOOLEAN"},
        "TIMESTAMP": {"TIMESTAMP WITH TIME ZONE"},
    }
