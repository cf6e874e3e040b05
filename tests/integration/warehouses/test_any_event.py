"""Whatever a client sends: the load succeeds, times are the model's, and no value is lost or changed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope
from gateway.model.event import claimed_time, corrected_timestamp, parse_time
from gateway.warehouses.duckdb import DuckDBSettings, open_duckdb
from gateway.warehouses.names import TABLES_OF_TYPE, column_name, quoted
from gateway.warehouses.values import ColumnType, leaves
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, Event, Store

slow = settings(
    max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
unique = count()

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
near = st.timedeltas(timedelta(days=-2), timedelta(days=2)).map(
    lambda delta: datetime(2025, 11, 25, 5, tzinfo=UTC) + delta
)
edges = st.sampled_from([-86_400.001, -86_400, -60.001, -60, -59.999, 0, 59.999, 60, 60.001, 86_400, 86_400.001]).map(
    lambda seconds: datetime(2025, 11, 25, 5, tzinfo=UTC) + timedelta(seconds=seconds)
)
forms = st.sampled_from(
    [
        lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        lambda moment: moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        lambda moment: moment.isoformat(timespec="microseconds"),
        lambda moment: moment.isoformat().replace("+00:00", "+02:00"),
        lambda moment: moment.isoformat().replace("+00:00", "-09:30"),
        lambda moment: moment.isoformat().replace("+00:00", ""),
        lambda moment: moment.isoformat(sep=" "),
        lambda moment: moment.date().isoformat(),
        lambda moment: moment.timestamp(),
        lambda moment: int(moment.timestamp() * 1000),
        lambda moment: str(int(moment.timestamp() * 1000)),
    ]
)
oddities = st.sampled_from(
    [
        *(
            "",
            "yesterday",
            "2024-02-30T00:00:00.000Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T23:59:60Z",
            "0000-01-01T00:00:00Z",
        ),
        *(
            "2024-01-01T00:00:00+25:00",
            "2024-01-01T00:00:00+05:99",
            "2024-01-01T00:00:00.1234567Z",
            "+024-01-01T00:00:00Z",
        ),
        *("-024-01-01T00:00:00Z", "2024-01-01T00:00:00.+05Z", "2024-01-01T1::00:00Z", "2024-W01-1", "20240101T000000Z"),
        *("9999-12-31T23:59:59-09:00", "0001-01-01T00:00:00+09:00", "2024-01-01T00:00:00z", "2024-01-01t00:00:00Z"),
        *(None, True, 0, -1, 5, 1e300, {}, [1], {"a": 1}),
    ]
)
usual = st.builds(lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"), near | edges)
times = st.one_of(usual, st.builds(lambda form, moment: form(moment), forms, near | edges | moments), oddities)


def stored_time(moment: datetime | None) -> datetime | None:
    """As a column holds it: None outside of what all warehouses hold."""
    return (
        moment
        if moment is not None and datetime(2, 1, 1, tzinfo=UTC) <= moment < datetime(9998, 12, 31, tzinfo=UTC)
        else None
    )


Check = Callable[[Callable[[Store], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def check(tmp_path: Any) -> Iterator[Check]:
    """Runs a coroutine with one store that lives through all examples, since hypothesis knows no coroutines."""
    with asyncio.Runner() as runner:
        opening = open_duckdb(DuckDBSettings(path=tmp_path / "warehouse.duckdb"), SystemClock())
        store = Store(runner.run(opening.__aenter__()), tmp_path)
        first = [store.event(type_, properties=TYPED, traits=TYPED, context=TYPED) for type_ in TABLES_OF_TYPE]
        runner.run(store.load(*first, store.event(event="A", properties=TYPED)))
        yield lambda work: runner.run(work(store))
        runner.run(opening.__aexit__(None, None, None))


@slow
@given(
    st.lists(
        st.fixed_dictionaries({}, optional={"timestamp": times, "originalTimestamp": times, "sentAt": times}),
        min_size=1,
        max_size=20,
    ),
    st.none() | times,
)
def test_times_are_those_of_the_model(check: Check, told: list[dict[str, Any]], batch_sent_at: Any):
    envelope = Envelope("web", RECEIVED_AT_MS, batch_sent_at if isinstance(batch_sent_at, str | int | float) else None)
    events = [{"type": "track", "messageId": f"t{next(unique)}", "event": "e"} | fields for fields in told]

    async def compare(store: Store) -> None:
        await store.load(*events, envelope=envelope)

        for event in events:
            rows = await store.rows(
                f"select timestamp, original_timestamp, sent_at from tracks where id = '{event['messageId']}'"
            )
            corrected = corrected_timestamp(event, envelope)
            claimed = stored_time(claimed_time(event))
            sent_at = parse_time(event.get("sentAt") if envelope.sent_at is None else envelope.sent_at)
            assert rows == [(corrected, claimed or corrected, stored_time(sent_at))]

    check(compare)


TYPED = {"price": 1, "weight": 1.5, "paid": True, "name": "x", "when": "2026-11-25T12:00:00Z", "list": []}
"""Decides the types of these columns, so that the events differ from them."""
KEYS = st.sampled_from(list(TYPED)) | st.sampled_from(
    ["price", "Price", "product", "name", "id", "a b", "a_b", "€", "", "when", "x.y", 'q"uote', "it's", "$", "_"]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.integers(0, 9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.sampled_from(["2026-11-25T12:00:00.000Z", "2026-11-25T12:00:00+02:00", "5", "true", "1e5"]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
NUMBERS = st.sampled_from(
    [0, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 1.0, 0.1, 1e300]
)
ODD_VALUES = NUMBERS | st.sampled_from([True, None, "", "5", "2026-11-25T12:00:00+02:00", "2026-02-30T12:00:00Z", [1]])
OBJECTS = st.builds(
    dict.__or__,
    st.dictionaries(KEYS, VALUES, max_size=3),
    st.dictionaries(st.sampled_from(list(TYPED)), ODD_VALUES, max_size=3),
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["track", "page", "identify", "group", "alias", "screen"]),
            "properties": OBJECTS,
            "traits": OBJECTS,
        },
        optional={
            "context": OBJECTS,
            "event": st.sampled_from(["A", "B c", "b_C", "tracks", "€"]),
            "name": st.text("ab", max_size=3),
        },
    ),
    min_size=1,
    max_size=12,
)


def as_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def same(column: ColumnType, stored: Any, sent: Any) -> bool:
    """Whether a column says what the client said, in the column's type."""
    match column:
        case ColumnType.TEXT:
            return bool(
                stored == (sent if isinstance(sent, str) else as_text(sent))
                or (isinstance(sent, list | float) and orjson.loads(stored) == sent)
            )
        case ColumnType.JSON:
            return bool(orjson.loads(stored) == sent)
        case ColumnType.MOMENT:
            return stored is not None and bool(stored == parse_time(sent))
        case _:
            return (type(stored) is type(sent) and stored == sent) or (column is ColumnType.NUMBER and stored == sent)


@settings(parent=slow, max_examples=120)
@given(EVENTS)
def test_every_value_is_in_its_column_or_in_extra(check: Check, sent: list[Event]):
    pairs = [(tame(event), event) for event in sent]
    events = [event | {"messageId": f"v{next(unique)}", "userId": "u"} for pair in pairs for event in pair]

    async def compare(store: Store) -> None:
        loaded = await store.load(*events)

        assert loaded.rows == len(events)
        for event in events:
            await assert_kept(store, event)

    check(compare)


def tame(value: Any) -> Any:
    """The same structure with values that fit: what is seen first must not decide for what follows."""
    match value:
        case dict():
            return {key: inner if key in ("type", "event") else tame(inner) for key, inner in value.items()}
        case list():
            return [tame(inner) for inner in value]
        case bool() | None:
            return value
        case int():
            return 1 if value >= 0 else -1
        case float():
            return 1.5
        case _:
            return TYPED["when"]


async def assert_kept(store: Store, event: Event) -> None:
    table = TABLES_OF_TYPE[event["type"]]
    if event["type"] == "track":
        properties = await store.one(f"select properties from tracks where id = '{event['messageId']}'")
        assert orjson.loads(properties) == event["properties"]
        table = await store.one(f"select event from tracks where id = '{event['messageId']}'")
    if table is None or event["type"] == "alias":
        return
    body = event["traits"] if event["type"] in ("identify", "group") else event["properties"]
    answer = await store.warehouse.query(f"select * from {quoted(table)} where id = '{event['messageId']}'", 2, 30)
    [values] = answer.rows
    row = dict(zip(answer.columns, values, strict=True))
    types = dict(await store.rows(f"select column_name, column_type from (describe {quoted(table)})"))
    extra = orjson.loads(row["_extra"] or "{}")
    for section, value, prefix in (
        (next(iter({"traits", "properties"} & extra.keys()), "properties"), body, ""),
        ("context", event.get("context") or {}, "context_"),
    ):
        aside = dict(leaves(extra.get(section, {})))
        for path, leaf in leaves(value):
            if leaf is None or path in aside:
                assert leaf is None or aside[path] == leaf
                continue
            column = column_name(path, prefix)
            assert same(TYPES[types[column]], row[column], leaf), (path, leaf, row)


TYPES = {
    "VARCHAR": ColumnType.TEXT,
    "BIGINT": ColumnType.INTEGER,
    "DOUBLE": ColumnType.NUMBER,
    "BOOLEAN": ColumnType.BOOLEAN,
    "JSON": ColumnType.JSON,
    "TIMESTAMP WITH TIME ZONE": ColumnType.MOMENT,
}
