"""From a stored event to what a destination is sent, or to the reason why it is not."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson
import pytest

from gateway.config import BatchSettings, DestinationSettings
from gateway.deliver.breaker import Moment
from gateway.deliver.decode import EventCache
from gateway.deliver.governing import Given, Governor
from gateway.deliver.lanes import Item
from gateway.deliver.plans import Plan
from gateway.deliver.prepare import Prepared, address
from gateway.deliver.progress import Filtered, Unsendable
from gateway.destinations.contract import Destination, Message
from gateway.destinations.http_messages import Request
from gateway.model.envelope import Envelope, Stored
from gateway.model.event import Event
from gateway.transforms import Chains

RECEIVED_AT_MS = 1_795_608_000_000
NOW = Moment(1.0, RECEIVED_AT_MS + 7_200_000)


class ToolSettings(DestinationSettings):
    type: Literal["tool"] = "tool"


def map_event(event: Event, _settings: ToolSettings) -> Sequence[Message]:
    if event["type"] == "page":
        return []
    return [Message({"name": event["event"].lower(), "id": event["messageId"]})]


TOOL = Destination(
    settings=ToolSettings, title="Tool", map=map_event, request=lambda *_: Request("https://tool.example", b"")
)


def prepare(stored: Stored, plan: Plan) -> Prepared:
    admitted = Governor("tool", plan.route, plan.settings, Chains()).admit(Given(stored, EventCache(1000).canonical))
    return address(stored, [admitted], plan, NOW) if isinstance(admitted, dict) else admitted


def prepared(event: Mapping[str, Any], source: str = "web", **settings: Any) -> Item | Filtered | Unsendable:
    stored = Stored(7, orjson.dumps({"messageId": "m", "type": "track", **event}), Envelope(source, RECEIVED_AT_MS))
    found = prepare(stored, Plan("tool", TOOL, ToolSettings(**settings)))
    if isinstance(found, Filtered | Unsendable):
        return found
    (item,) = found
    return item


def test_an_event_is_sent_in_the_tools_words_in_its_persons_lane():
    item = prepared({"event": "Signed Up", "userId": "u1", "anonymousId": "a1"})

    assert isinstance(item, Item)
    assert item.payload.body == b'{"name":"signed up","id":"m"}'
    assert item.payload.message_id == "m"
    assert item.lane == ("userId", "u1")


def test_a_visitor_has_a_lane_too_and_a_nobodys_event_one_of_its_own():
    assert prepared({"event": "x", "anonymousId": "a1", "userId": ""}).lane == ("anonymousId", "a1")
    assert prepared({"event": "x"}).lane == 7


def test_a_source_that_does_not_feed_the_destination_is_filtered():
    assert prepared({"event": "x"}, source="server", sources=("web",)) == Filtered("sources")


@pytest.mark.parametrize("sources", [(), ("web",)])
def test_a_tombstone_is_filtered_as_forgotten_without_a_look_at_it(sources: tuple[str, ...]):
    stored = Stored(7, b"not even JSON", Envelope("", RECEIVED_AT_MS))
    plan = Plan("tool", TOOL, ToolSettings(sources=sources))

    assert prepare(stored, plan) == Filtered("forgotten")


def test_what_the_tool_has_no_word_for_is_filtered():
    assert prepared({"type": "page"}) == Filtered("no_counterpart")


def test_an_event_that_the_map_cannot_bear_is_its_own_trouble_alone():
    unsendable = prepared({"event": None})

    assert isinstance(unsendable, Unsendable)
    assert unsendable.reason == "unmappable"
    assert "AttributeError" in unsendable.error


def test_bytes_that_are_no_event_are_a_letter_and_not_a_crash():
    stored = Stored(7, b"{not json", Envelope("web", RECEIVED_AT_MS))

    assert prepare(stored, Plan("tool", TOOL, ToolSettings())).reason == "unmappable"


def test_a_payload_that_no_request_can_hold_is_too_large():
    unsendable = prepared({"event": "x" * 200}, batch=BatchSettings(max_bytes=100))

    assert unsendable == Unsendable("too_large", "220 bytes, accepted are 100")


@pytest.mark.parametrize(("max_age_s", "sent"), [(0, True), (7300, True), (7100, False)])
def test_an_event_older_than_the_limit_is_not_sent(max_age_s: float, sent: bool):
    outcome = prepared({"event": "x", "timestamp": "2026-11-25T12:00:00Z"}, max_age=max_age_s)

    assert isinstance(outcome, Item) if sent else outcome.reason == "too_old"


@pytest.mark.parametrize(("limit_s", "words"), [(72 * 3600, "72 h"), (90, "90 s"), (14 * 86_400, "14 d")])
def test_the_age_that_is_accepted_is_said_as_people_say_it(limit_s: float, words: str):
    outcome = prepared({"event": "x", "timestamp": "2020-11-25T12:00:00Z"}, max_age=limit_s)

    assert outcome == Unsendable("too_old", f"older than the {words} that are accepted")
