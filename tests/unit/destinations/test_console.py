"""The console: one readable JSON line for each event."""

import json

import orjson

from gateway.destinations.console import CONSOLE, ConsoleSettings
from gateway.destinations.contract import Payload, Sending
from gateway.model.envelope import Envelope
from gateway.model.event import canonical

WEB = Envelope("web", 1_795_608_000_000, None, "203.0.113.9", "Test/1")


def test_a_line_shows_what_the_event_says_and_leaves_out_the_rest():
    event = canonical(
        {
            "messageId": "m1",
            "type": "track",
            "event": "Order Completed",
            "anonymousId": "a1",
            "userId": None,
            "properties": {"total": 12},
            "context": {"page": {"url": "https://shop.example/cart"}, "library": {"name": "analytics.js"}},
        },
        WEB,
    )

    (message,) = CONSOLE.map(event, ConsoleSettings())

    assert message.body == {
        "timestamp": "2026-11-25T12:00:00.000Z",
        "type": "track",
        "event": "Order Completed",
        "anonymousId": "a1",
        "properties": {"total": 12},
        "messageId": "m1",
        "url": "https://shop.example/cart",
    }


def test_each_event_of_a_batch_is_a_line_on_standard_output():
    bodies = [orjson.dumps({"text": "two\nlines"}), b'{"n":2}']

    request = CONSOLE.request([Payload("m", body) for body in bodies], ConsoleSettings(), Sending(0))

    assert request.url == "stdout:"
    assert [json.loads(line) for line in request.body.splitlines()] == [{"text": "two\nlines"}, {"n": 2}]
