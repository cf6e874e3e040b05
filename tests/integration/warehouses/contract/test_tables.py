"""What an analyst finds after a load, whatever the warehouse."""

import orjson

from gateway.warehouses.values import ColumnType
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Store


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
