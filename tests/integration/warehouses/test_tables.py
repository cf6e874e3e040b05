"""What an analyst finds after a load."""

import re
from datetime import UTC, datetime, timedelta

import duckdb
import orjson

from gateway.model.envelope import Envelope
from gateway.model.event import corrected_timestamp
from tests.integration.warehouses.support.store import ENVELOPE, RECEIVED_AT_MS, OpenStore, Store

RECEIVED_AT = datetime(2025, 11, 25, 5, tzinfo=UTC)


async def test_a_track_is_in_tracks_and_in_a_table_of_its_own(store: Store):
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
    assert await store.rows("select total, items, paid, coupon_code, skus, _extra from order_completed") == [
        (19.99, 2, True, "X", '["a","b"]', None)
    ]
    assert orjson.loads(await store.one("select properties from tracks"))["coupon"] == {"code": "X"}
    assert await store.rows(
        "select column_type from (describe order_completed) where column_name in ('total','paid')"
    ) == [
        ("DOUBLE",),
        ("BOOLEAN",),
    ]


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


async def test_a_property_never_hides_a_column_of_the_loader(store: Store):
    await store.load(store.event(properties={"id": "p1", "event": "x", "timestamp": "y", "source": 5}))

    assert await store.rows("select id, _id, event, _event, _timestamp, source, _source from order_completed") == [
        ("m0", "p1", "order_completed", "x", "y", "web", 5)
    ]


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


async def test_everything_is_known_again_after_a_restart(open_store: OpenStore):
    first = await open_store()
    await first.load(first.event(properties={"total": 5, "note": {"text": "x"}}))
    second = await open_store()

    loaded = await second.load(second.event(messageId="z", properties={"total": 6.5, "note": {"text": "y"}, "tip": 1}))

    assert loaded.rows == 1
    assert await second.rows("select total, note_text, tip from order_completed order by id") == [
        (5.0, "x", None),
        (6.5, "y", 1),
    ]


async def test_events_of_one_name_in_several_spellings_share_a_table(store: Store):
    await store.load(store.event(), store.event(event="order_completed"), store.event(event="orderCompleted"))

    assert await store.one("select count(*) from order_completed") == 3
    assert await store.one("select count(distinct event_text) from tracks where event = 'order_completed'") == 3


async def test_an_event_without_letters_is_in_tracks_alone(store: Store):
    loaded = await store.load(store.event(event="注文"))

    assert await store.rows("select event, event_text from tracks") == [(None, "注文")]
    assert sum(loaded.warnings.values()) == 0


async def test_the_limits_hold_and_nothing_is_lost(open_store: OpenStore):
    store = await open_store(max_event_tables=2, max_columns=3, max_context_columns=4)

    loaded = await store.load(
        *(store.event(event=f"Event {name}", properties={f"{name}{n}": n for n in range(5)}) for name in "abcd"),
        store.event(event="Event a", context={f"key {n}": n for n in range(9)}),
    )

    tables = [name for (name,) in await store.rows("show tables") if re.match("event_", name)]
    assert tables == ["event_a", "event_b"]
    assert await store.one("select count(*) from tracks") == 5
    assert loaded.warnings == {"too_many_tables": 2, "too_many_columns": 2 * 2 + 7}
    assert orjson.loads(await store.one("select _extra from event_b")) == {"properties": {"b3": 3, "b4": 4}}
    assert len(orjson.loads(await store.one("select _extra from event_a where context_key_0 = 0"))["context"]) == 7


async def test_somebody_elses_table_is_left_alone(store: Store):
    with duckdb.connect(str(store.path)) as analyst:
        analyst.execute("create table order_completed (note varchar)")

    await store.load(store.event(properties={"total": 5}))

    assert await store.rows("select event from tracks") == [("_order_completed",)]
    assert await store.rows("select total from _order_completed") == [(5,)]
    assert await store.one("select count(*) from order_completed") == 0


async def test_clocks_that_differ_are_corrected_from_the_same_moment_on_as_by_the_model(store: Store):
    def at(seconds: float) -> str:
        return (RECEIVED_AT + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    day = 86_400
    edges = (-day - 0.001, -day, -60.001, -60, 0, 60, 60.001, day, day + 0.001)
    events = [store.event(timestamp=at(happened), sentAt=at(sent)) for happened in edges for sent in edges]

    await store.load(*events)

    stored = dict(await store.rows("select id, timestamp from tracks"))
    assert stored == {event["messageId"]: corrected_timestamp(event, ENVELOPE) for event in events}


async def test_a_text_that_is_no_time_is_in_extra_of_the_events_own_table(store: Store):
    await store.load(store.event(properties={"due": "2025-11-25T05:00:00Z"}))
    await store.load(
        store.event(properties={"due": "tomorrow"}), store.event(properties={"due": "2025-11-26T05:00:00Z"})
    )

    assert await store.rows("select due::varchar, _extra from order_completed order by id") == [
        ("2025-11-25 05:00:00+00", None),
        (None, '{"properties":{"due":"tomorrow"}}'),
        ("2025-11-26 05:00:00+00", None),
    ]
