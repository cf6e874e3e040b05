"""What an analyst finds after a load, whatever the warehouse."""

from datetime import UTC, datetime, timedelta

import orjson

from gateway.model.envelope import Envelope
from gateway.model.event import corrected_timestamp
from gateway.warehouses.values import ColumnType
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import ENVELOPE, RECEIVED_AT_MS, Store

RECEIVED_AT = datetime(2025, 11, 25, 5, tzinfo=UTC)


async def test_a_track_is_in_tracks_and_in_a_table_of_its_own(place: Place, store: Store):
    await store.load(
        store.event(
            userId="u1",
            properties={"total": 19.99, "items": 2, "paid": True, "coupon": {"code": "X"}, "skus": ["a", "b"]},
            context={"page": {"url": "https://shop.example/"}, "locale": "en"},
        )
    )

    assert await store.rows(
        "select id, anonymous_id, user_id, event, event_text, source, context_page_url, context_locale from tracks"
    ) == [("m0", "a1", "u1", "order_completed", "Order Completed", "web", "https://shop.example/", "en")]
    [(*values, skus, extra)] = await store.rows(
        "select total, items, paid, coupon_code, skus, _extra from order_completed"
    )
    assert (values, orjson.loads(skus), extra) == ([19.99, 2, True, "X"], ["a", "b"], None)
    assert orjson.loads(await store.one("select properties from tracks"))["coupon"] == {"code": "X"}
    types = await place.types(store, "order_completed")
    assert {name: types[name] for name in ("total", "items", "paid", "coupon_code", "skus", "timestamp", "_extra")} == {
        "total": ColumnType.NUMBER,
        "items": ColumnType.INTEGER,
        "paid": ColumnType.BOOLEAN,
        "coupon_code": ColumnType.TEXT,
        "skus": ColumnType.JSON,
        "timestamp": ColumnType.MOMENT,
        "_extra": ColumnType.JSON,
    }


async def test_the_tables_of_the_spec_are_there_before_the_first_event(store: Store):
    for table in ("tracks", "pages", "screens", "identifies", "groups", "aliases", "users"):
        assert await store.one(f"select count(*) from {table}") == 0


async def test_each_type_has_its_table(store: Store):
    await store.load(
        store.event("page", name="Home", category="Shop", properties={"path": "/", "name": "Start"}),
        store.event("screen", name="Cart", properties={"items": 3}),
        store.event("identify", userId="u1", traits={"email": "a@example.com", "createdAt": "2024-01-01T00:00:00Z"}),
        store.event("group", userId="u1", groupId="g1", traits={"plan": "pro"}),
        store.event("alias", userId="u1", previousId="a1"),
    )

    assert await store.rows("select name, category, path from pages") == [("Start", "Shop", "/")]
    assert await store.rows("select name, items from screens") == [("Cart", 3)]
    assert await store.rows("select user_id, email, created_at from identifies") == [
        ("u1", "a@example.com", datetime(2024, 1, 1, tzinfo=UTC))
    ]
    assert await store.rows("select user_id, group_id, plan from groups") == [("u1", "g1", "pro")]
    assert await store.rows("select user_id, previous_id from aliases") == [("u1", "a1")]


async def test_the_connection_fills_in_what_the_client_did_not_tell(store: Store):
    envelope = Envelope("web", RECEIVED_AT_MS, ip="192.0.2.7", user_agent="curl/8")

    await store.load(store.event(), store.event(context={"ip": "198.51.100.1", "userAgent": ""}), envelope=envelope)

    assert await store.rows("select context_ip, context_user_agent from tracks order by id") == [
        ("192.0.2.7", "curl/8"),
        ("198.51.100.1", "curl/8"),
    ]


async def test_users_have_the_latest_of_each_trait_whatever_came_first(store: Store):
    def identify(day: int, **traits: object) -> dict[str, object]:
        return store.event("identify", userId="u1", timestamp=f"2025-11-{day:02}T00:00:00Z", traits=traits)

    await store.load(identify(20, plan="pro"), identify(22, email="new@example.com"))
    await store.load(identify(10, plan="free", email="old@example.com", city="Bonn"))

    assert await store.rows("select id, plan, email, city from users") == [("u1", "pro", "new@example.com", "Bonn")]


async def test_times_are_corrected_and_the_clients_are_kept(store: Store):
    await store.load(
        store.event(timestamp="2025-11-25T06:00:00.000Z", sentAt="2025-11-25T06:00:10.000Z"),
        store.event(),
    )

    assert await store.rows("select timestamp, original_timestamp, sent_at, received_at from tracks order by id") == [
        (
            datetime(2025, 11, 25, 4, 59, 50, tzinfo=UTC),
            datetime(2025, 11, 25, 6, tzinfo=UTC),
            datetime(2025, 11, 25, 6, 0, 10, tzinfo=UTC),
            RECEIVED_AT,
        ),
        (RECEIVED_AT, RECEIVED_AT, None, RECEIVED_AT),
    ]


async def test_a_new_context_key_becomes_a_column_of_every_table(store: Store):
    await store.load(store.event(), store.event("page", name="Home"))

    await store.load(store.event("page", name="Cart", context={"campaign": {"source": "mail"}}))

    assert await store.rows("select context_campaign_source from pages order by id") == [(None,), ("mail",)]
    assert await store.rows("select context_campaign_source from order_completed") == [(None,)]


async def test_clocks_that_differ_are_corrected_from_the_same_moment_on_as_by_the_model(store: Store):
    def at(seconds: float) -> str:
        return (RECEIVED_AT + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    day = 86_400
    edges = (-day - 0.001, -day, -60.001, -60, 0, 60, 60.001, day, day + 0.001)
    events = [store.event(timestamp=at(happened), sentAt=at(sent)) for happened in edges for sent in edges]

    await store.load(*events)

    stored = dict(await store.rows("select id, timestamp from tracks"))
    assert stored == {event["messageId"]: corrected_timestamp(event, ENVELOPE) for event in events}


async def test_everything_is_known_again_after_a_restart(place: Place):
    told = {"properties": {"total": 0.5, "note": {"text": "x"}}, "context": {"locale": "en", "screen": {"width": 800}}}
    async with place.open() as warehouse:
        first = Store(warehouse)
        await first.load(first.event(**told))

    async with place.open() as warehouse:
        second = Store(warehouse)
        await second.load(second.event(messageId="x", **told))
        await second.load(second.event(messageId="y", properties={"total": 6.5, "tip": 1}, context={"locale": 5}))

        assert await second.rows(
            "select total, note_text, tip, context_locale, context_screen_width from order_completed order by id"
        ) == [(0.5, "x", None, "en", 800), (0.5, "x", None, "en", 800), (6.5, None, 1, "5", None)]


async def test_a_staged_load_stores_its_events_once(store: Store):
    await store.load(store.event(context={"locale": "en"}))
    first, repeated = store.event(context={"locale": "de"}), store.event(context={"locale": "fr"})
    batches = store.batches(first, repeated, repeated)

    await store.warehouse.stage(batches)
    loaded = await store.load_batches(batches)

    assert (loaded.rows, loaded.duplicates) == (2, 1)
    assert await store.rows("select context_locale from tracks order by 1") == [("de",), ("en",), ("fr",)]


async def test_columns_that_came_after_staging_are_filled(store: Store):
    await store.load(store.event(context={"locale": "en"}))
    before = store.batches(store.event(context={"locale": "de", "timezone": "Europe/Berlin"}))
    later = store.batches(store.event(context={"locale": "fr", "timezone": "Europe/Paris"}))

    await store.warehouse.stage(later)
    await store.load_batches(before)
    await store.load_batches(later)

    assert await store.rows("select context_timezone from tracks where context_timezone is not null order by 1") == [
        ("Europe/Berlin",),
        ("Europe/Paris",),
    ]
