"""Whatever a client sends: the load succeeds, times are the model's, and no value is lost or changed."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.model.envelope import Envelope
from gateway.model.event import claimed_time, corrected_timestamp, parse_time
from gateway.warehouses.names import TABLES_OF_TYPE
from gateway.warehouses.values import Era
from tests.integration.warehouses.support.any_event import EVENTS, TIMES, TYPED, tame
from tests.integration.warehouses.support.kept import lost, rows_by_id
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, Event, Store

unique = count()
Check = Callable[[Callable[[Store], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def check(place: Place) -> Iterator[Check]:
    """Runs a coroutine with one store that lives through all examples, since hypothesis knows no coroutines."""
    with asyncio.Runner() as runner:
        opening = place.open()
        store = Store(runner.run(opening.__aenter__()))
        first = [store.event(type_, properties=TYPED, traits=TYPED, context=TYPED) for type_ in TABLES_OF_TYPE]
        runner.run(store.load(*first, store.event(event="A", properties=TYPED)))
        yield lambda work: runner.run(work(store))
        runner.run(opening.__aexit__(None, None, None))


def at(place: Place) -> settings:
    """As many examples as are worth it there."""
    return settings(max_examples=place.kind.examples, deadline=None, phases=[Phase.generate])


def test_times_are_those_of_the_model(place: Place, check: Check):
    told = st.fixed_dictionaries({}, optional={"timestamp": TIMES, "originalTimestamp": TIMES, "sentAt": TIMES})

    @at(place)
    @given(st.lists(told, min_size=1, max_size=20), st.none() | TIMES)
    def hold(told: list[dict[str, Any]], batch_sent_at: Any) -> None:
        sent_at = batch_sent_at if isinstance(batch_sent_at, str | int | float) else None
        envelope = Envelope("web", RECEIVED_AT_MS, sent_at)
        events = [{"type": "track", "messageId": f"t{next(unique)}", "event": "e"} | fields for fields in told]

        async def compare(store: Store) -> None:
            await store.load(*events, envelope=envelope)

            rows = await rows_by_id(place, store, "tracks", [event["messageId"] for event in events])
            for event in events:
                row = rows[event["messageId"]]
                assert (row["timestamp"], row["original_timestamp"], row["sent_at"]) == times_of(
                    event, envelope, place.kind.era
                )

        check(compare)

    hold()


def test_every_value_is_in_its_column_or_in_extra(place: Place, check: Check):
    @at(place)
    @given(EVENTS)
    def hold(sent: list[Event]) -> None:
        pairs = [(tame(event), event) for event in sent]
        events = [event | {"messageId": f"v{next(unique)}", "userId": "u"} for pair in pairs for event in pair]

        async def compare(store: Store) -> None:
            loaded = await store.load(*events)

            assert loaded.rows == len(events)
            assert await lost(place, store, events) == []

        check(compare)

    hold()


def times_of(event: Event, envelope: Envelope, era: Era) -> tuple[datetime | None, ...]:
    """`timestamp`, `original_timestamp` and `sent_at` as the model has them, where a column holds them."""
    corrected, claimed = corrected_timestamp(event, envelope), claimed_time(event)
    sent_at = parse_time(event.get("sentAt") if envelope.sent_at is None else envelope.sent_at)
    is_held = claimed is not None and era.holds(claimed)
    return corrected, claimed if is_held else corrected, sent_at if sent_at is not None and era.holds(sent_at) else None
