"""Events that are put into a form that the engine reads without loss."""

from collections import Counter
from typing import Any

import orjson

from gateway.model.envelope import Envelope, Stored
from gateway.warehouses.columns import Columns
from gateway.warehouses.repair import Repaired, body_of, repair

RECEIVED_AT_MS = 1764046800000  # 2025-11-25T05:00:00Z


def repaired(event: dict[str, Any], *, knowing: dict[str, Any] | None = None) -> Repaired:
    body = Columns(100)
    body.learn(body_of(knowing or event)[1])
    stored = Stored(0, orjson.dumps(event), Envelope("web", RECEIVED_AT_MS))
    return repair(stored, Columns(100, "context_"), body, Counter())


def track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": "m1", "anonymousId": "a1", "event": "Order Completed"} | fields


def test_a_misfit_leaves_the_rest_in_place() -> None:
    known, event = track(properties={"price": 5}), track(properties={"price": "free", "sku": None})

    result = repaired(event, knowing=known)

    assert orjson.loads(result.raw)["properties"] == {}
    assert orjson.loads(result.extra or b"") == {"properties": {"price": "free"}}
    assert orjson.loads(result.all_properties or b"") == event["properties"]


def test_an_unusual_time_becomes_the_usual_form_and_the_correction_is_done() -> None:
    event = track(originalTimestamp=1764043200, sentAt="2025-11-25 04:00:10")

    fields = orjson.loads(repaired(event).raw)

    assert fields["originalTimestamp"] == "2025-11-25T04:00:00.000000Z"
    assert fields["timestamp"] == "2025-11-25T04:59:50.000000Z"
    assert fields["sentAt"] == "2025-11-25T04:00:10.000000Z"


def test_a_time_that_nobody_can_read_is_the_time_of_receipt() -> None:
    fields = orjson.loads(repaired(track(timestamp="yesterday")).raw)

    assert fields["timestamp"] == fields["originalTimestamp"] == "2025-11-25T05:00:00.000000Z"


def test_traits_may_come_within_the_context() -> None:
    event = {"type": "identify", "messageId": "m1", "userId": "u1", "context": {"traits": {"plan": "pro"}}}

    assert body_of(event) == ("traits", {"plan": "pro"})


def test_a_name_is_a_column_of_a_page() -> None:
    event = {"type": "page", "messageId": "m1", "userId": "u1", "name": "Home", "properties": {"path": "/"}}

    assert body_of(event) == ("properties", {"name": "Home", "path": "/"})
