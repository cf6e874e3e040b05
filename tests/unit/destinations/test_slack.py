"""Slack: what is written for which event, what Slack would parse, and the words by which it refuses."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.slack import SLACK, SlackSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry
from tests.vendors.events import event, seen, tour

URL = "https://hooks.slack.com/services/T00000000/B00000000/s3cret"


def slack(*messages: dict[str, Any], **said: Any) -> SlackSettings:
    return SlackSettings(url=URL, messages=messages or ({"text": "{{ event }}"},), **said)


def told(settings: SlackSettings, **fields: Any) -> list[Message]:
    return list(SLACK.map(seen(event(1, **fields)), settings))


def text_of(template: str, **fields: Any) -> str:
    (message,) = told(slack({"text": template}), **{"event": "A", **fields})
    return str(message.body["text"])


def test_the_first_message_that_fits_is_written():
    settings = slack(
        {"events": ["Order *"], "where": [{"field": "properties.total", "above": 100}], "text": "big"},
        {"events": ["Order *"], "text": "small"},
    )

    assert told(settings, event="Order Completed", properties={"total": 101})[0].body == {"text": "big"}
    assert told(settings, event="Order Completed", properties={"total": 99})[0].body == {"text": "small"}
    assert told(settings, event="Signed Up") == []


def test_only_tracks_are_told_unless_it_is_said():
    told_of = {each["type"] for each in tour() if SLACK.map(seen(each), slack())}
    told_of_pages = {
        each["type"] for each in tour() if SLACK.map(seen(each), slack({"types": ["page"], "text": "{{ name }}"}))
    }

    assert told_of == {"track"}
    assert told_of_pages == {"page"}


def test_what_an_event_brings_can_neither_mention_nor_link():
    assert text_of("hi {{ properties.name }}", properties={"name": "<!channel> & <https://x.example|you>"}) == (
        "hi &lt;!channel&gt; &amp; &lt;https://x.example|you&gt;"
    )


def test_what_the_owner_writes_is_parsed_by_slack():
    assert text_of("<https://crm.example/{{ userId | urlencode }}|{{ userId }}>", userId="a&b") == (
        "<https://crm.example/a%26b|a&amp;b>"
    )


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ properties.total }}", "5"),
        ("{{ properties.paid }}", "true"),
        ("{{ properties.tags }}", '["a"]'),
        ("of {{ properties.nobody }}!", "of !"),
        ("{{ properties.nobody | 'somebody' }}", "somebody"),
    ],
)
def test_values_are_always_texts_and_what_is_missing_leaves_nothing(template: str, text: str):
    assert text_of(template, properties={"total": 5, "paid": True, "tags": ["a"]}) == text


def test_an_empty_message_is_not_written():
    assert told(slack({"text": " {{ properties.nobody }} "}), event="A") == []


def test_within_blocks_texts_are_escaped_and_addresses_are_not():
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*{{ properties.name }}*"}},
        {"type": "image", "image_url": "{{ properties.image }}", "alt_text": "{{ properties.name }}"},
        {"type": "context", "elements": [{"type": "plain_text", "text": "{{ properties.none }}"}]},
        {"type": "divider", "block_id": "{{ groupId }}"},
    ]

    (message,) = told(
        slack({"text": "t", "blocks": blocks}), event="A", properties={"name": "a&b", "image": "https://x.example/?a&b"}
    )

    assert message.body["blocks"] == [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*a&amp;b*"}},
        {"type": "image", "image_url": "https://x.example/?a&b", "alt_text": "a&b"},
        {"type": "context", "elements": [{"type": "plain_text", "text": ""}]},
        {"type": "divider"},
    ]


def test_a_block_may_be_repeated_for_each_product():
    block = {"$each": "properties.products", "type": "section", "text": {"type": "mrkdwn", "text": "{{ item.name }}"}}
    products = [{"name": "Boots"}, {"name": "Socks"}]

    (message,) = told(
        slack({"text": "t", "blocks": [{"type": "divider"}, block]}), event="A", properties={"products": products}
    )

    assert [each.get("text", {}).get("text") for each in message.body["blocks"]] == [None, "Boots", "Socks"]


def test_what_is_too_long_is_cut_and_counted():
    (message,) = told(slack({"text": "{{ properties.long }}"}), event="A", properties={"long": "x" * 40_001})

    assert (len(message.body["text"]), message.repairs) == (40_000, ("cut",))


def test_an_escape_is_not_cut_in_two():
    long = "x" * 39_997 + "&"

    (message,) = told(slack({"text": "{{ properties.long }}"}), event="A", properties={"long": long})

    assert message.body["text"] == "x" * 39_997


@pytest.mark.parametrize(("kind", "longest"), [("section", 3000), ("header", 150)])
def test_texts_of_blocks_are_cut_to_what_slack_takes(kind: str, longest: int):
    block = {"type": kind, "text": {"type": "plain_text", "text": "{{ properties.long }}"}}

    (message,) = told(slack({"text": "t", "blocks": [block]}), event="A", properties={"long": "x" * 4000})

    assert (len(message.body["blocks"][0]["text"]["text"]), message.repairs) == (longest, ("cut",))


def test_more_blocks_than_slack_takes_are_cut_off():
    block = {"$each": "properties.products", "type": "section", "text": {"type": "mrkdwn", "text": "{{ item.n }}"}}

    (message,) = told(
        slack({"text": "t", "blocks": [block]}), event="A", properties={"products": [{"n": n} for n in range(60)]}
    )

    assert (len(message.body["blocks"]), message.repairs) == (50, ("cut",))


def test_a_message_within_the_limits_is_not_counted_as_repaired():
    (message,) = told(slack(), event="A")

    assert message.repairs == ()


def test_the_request_is_the_message_alone():
    request = SLACK.request([Payload("m", b'{"text":"hi"}')], slack(), Sending(0))

    assert isinstance(request, Request)
    assert (request.method, request.url, json.loads(request.body)) == ("POST", URL, {"text": "hi"})


def test_one_message_a_second_one_after_the_other():
    assert (slack().requests_per_second, slack().concurrency, SLACK.batch_events(slack())) == (1, 1, 1)


@pytest.mark.parametrize(
    ("status", "words", "meaning"),
    [
        (200, "ok", Delivered()),
        (200, "no_service", Delivered()),
        (302, "", Halt("HTTP 302")),
        (400, "invalid_payload", Reject("HTTP 400: invalid_payload")),
        (400, "invalid_blocks", Reject("HTTP 400: invalid_blocks")),
        (400, "no_text", Reject("HTTP 400: no_text")),
        (400, "too_many_attachments", Reject("HTTP 400: too_many_attachments")),
        (400, "user_not_found", Halt("HTTP 400: user_not_found")),
        (403, "action_prohibited", Halt("HTTP 403: action_prohibited")),
        (403, "invalid_token", Halt("HTTP 403: invalid_token")),
        (404, "no_service", Halt("HTTP 404: no_service")),
        (404, "channel_not_found", Halt("HTTP 404: channel_not_found")),
        (410, "channel_is_archived", Halt("HTTP 410: channel_is_archived")),
        (410, "", Halt("HTTP 410")),
        (500, "rollup_error", Retry("HTTP 500", 30.0)),
        (500, "team_disabled", Halt("HTTP 500: team_disabled")),
        (429, "rate_limited", Retry("HTTP 429", 30.0)),
    ],
)
def test_slacks_words_tell_a_bad_message_from_a_webhook_that_is_gone(status: int, words: str, meaning: Outcome):
    response = Response(status, {"retry-after": "30"}, words.encode())

    assert SLACK.classify(response, []) == meaning


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"messages": []}, "at least 1"),
        ({"url": "hooks.slack.com/services/x"}, "write the address that Slack shows"),
        ({"messages": [{}]}, "required"),
        ({"messages": [{"text": 3}]}, "write a text in quotes"),
        ({"messages": [{"text": "{{ usrId }}"}]}, 'did you mean "userId"?'),
        ({"messages": [{"text": "t", "blocks": "b"}]}, "write a list of tables"),
        ({"messages": [{"text": "t", "blocks": [{"type": "divider"}] * 51}]}, "at most 50 blocks"),
        ({"messages": [{"text": "t", "blocks": [{"text": {"text": "{{ x }}"}}]}]}, "0.text.text: {{ x }}"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_configuration_is_read(said: dict[str, Any], words: str):
    with pytest.raises(ValidationError) as caught:
        SlackSettings(**{"url": URL, "messages": [{"text": "t"}], **said})

    assert words in str(caught.value)
