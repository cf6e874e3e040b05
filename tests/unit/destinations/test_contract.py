"""What holds for every kind of destination."""

from typing import Any

import orjson
import pytest

from gateway.config import BatchSettings, DestinationSettings
from gateway.destinations import DESTINATIONS, Destination, Payload, Sending
from gateway.destinations.contract import S
from gateway.destinations.http_messages import Request
from gateway.model.envelope import Envelope
from gateway.model.event import EVENT_TYPES, canonical

REQUIRED: dict[str, dict[str, Any]] = {"webhook": {"url": "https://hooks.example/in"}}
ENVELOPE = Envelope("web", 1_795_608_000_000, None, "203.0.113.9", "Test/1")


def settings_of(kind: Destination[S]) -> S:
    name = kind.settings.model_fields["type"].default
    return kind.settings(**REQUIRED.get(name, {}))


def test_names_of_kinds_are_unique():
    names = [kind.settings.model_fields["type"].default for kind in DESTINATIONS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", DESTINATIONS, ids=lambda kind: kind.settings.model_fields["type"].default)
@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_any_event_is_mapped_without_being_changed_and_fits_a_request(kind: Destination[Any], event_type: str):
    event = canonical({"messageId": "m", "type": event_type, "event": "x", "userId": "u", "context": {}}, ENVELOPE)
    before = orjson.dumps(event)

    mapped = kind.map(event, settings_of(kind))

    assert orjson.dumps(event) == before
    if mapped is not None:
        request = kind.request([Payload("m", orjson.dumps(mapped))], settings_of(kind), Sending(0))
        assert request.body


def test_the_owner_can_lower_a_vendors_limits_and_not_raise_them():
    kind = Destination(
        settings=DestinationSettings,
        map=lambda event, _: event,
        request=lambda *_: Request("https://tool.example", b""),
        max_batch_events=50,
        max_batch_bytes=1000,
        max_age_s=3600,
    )

    low = DestinationSettings(type="x", batch=BatchSettings(max_events=10, max_bytes=500), max_age=60)
    high = DestinationSettings(type="x", batch=BatchSettings(max_events=99, max_bytes=5000), max_age=7200)

    assert (kind.batch_events(low), kind.batch_bytes(low), kind.age_limit_s(low)) == (10, 500, 60)
    assert (kind.batch_events(high), kind.batch_bytes(high), kind.age_limit_s(high)) == (50, 1000, 3600)
    assert kind.age_limit_s(DestinationSettings(type="x")) == 3600
