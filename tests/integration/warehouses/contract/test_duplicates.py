"""An event is stored once, whatever is loaded again."""

from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import ENVELOPE, Store, batch_of


async def test_an_id_is_stored_once(store: Store):
    event, other = store.event(), store.event()

    first = await store.load(event, event, other)
    again = await store.load(other, event, store.event())

    assert (first.rows, first.duplicates) == (2, 1)
    assert (again.rows, again.duplicates) == (1, 2)
    assert await store.one("select count(*) from tracks") == 3
    assert await store.one("select count(*) from order_completed") == 3


async def test_the_first_of_two_events_with_one_id_is_kept(store: Store):
    await store.load(store.event(messageId="x", properties={"n": 1}), store.event(messageId="x", properties={"n": 2}))

    assert await store.rows("select n from order_completed") == [(1,)]


async def test_two_sources_may_use_the_same_id(store: Store):
    event = store.event()

    await store.load(event)
    loaded = await store.load(event, envelope=ENVELOPE._replace(source="ios"))

    assert loaded.rows == 1


async def test_ids_are_known_after_a_restart(place: Place):
    events = [{"type": "track", "messageId": f"m{number}", "event": "A"} for number in range(300)]
    async with place.open() as warehouse:
        await Store(warehouse).load(*events)

    async with place.open() as warehouse:
        loaded = await Store(warehouse).load(*events, {"type": "page", "messageId": "p"})

        assert (loaded.rows, loaded.duplicates) == (1, 300)
        assert await Store(warehouse).one("select count(*) from a") == 300


async def test_a_duplicate_that_looks_different_makes_no_trouble(store: Store):
    await store.load(store.event(messageId="x"))

    loaded = await store.load(store.event(messageId="x", event="Other", context={"new": 1}, properties={"new": "2"}))

    assert (loaded.rows, loaded.duplicates) == (0, 1)
    assert await store.one("select count(*) from tracks") == 1


async def test_the_cursor_of_each_log_moves_with_its_rows(place: Place):
    async with place.open() as warehouse:
        store = Store(warehouse)
        assert await warehouse.next_offset("log") is None
        await store.load(store.event(), store.event())
        await store.load(store.event())
        await warehouse.load([], "it's a replay", 7)

    async with place.open() as warehouse:
        assert [await warehouse.next_offset(log) for log in ("log", "it's a replay", "other")] == [3, 7, None]


async def test_a_batch_that_begins_within_a_request_keeps_its_envelopes(store: Store):
    whole = batch_of([store.event() for _ in range(5)], ENVELOPE)

    loaded = await store.warehouse.load([whole.slice(1, 3), whole.slice(3, 5)], "log", 5)

    assert loaded.rows == 4
    assert await store.rows("select distinct source from tracks") == [("web",)]
    assert await store.one("select count(*) from tracks where id = 'm0'") == 0
