"""What a watcher is shown."""

import json

import pytest

from gateway.admin.tail import Filter, line_of
from gateway.model.envelope import Envelope, Stored


def stored(raw: bytes, source: str = "web") -> Stored:
    return Stored(41, raw, Envelope(source, 1_700_000_000_000))


PAID = b'{"type":"track","event":"Paid","messageId":"m","userId":"u-1","properties":{"type":"page"}}'
HOME = b'{"type":"page","name":"Home","messageId":"m","anonymousId":"a-1"}'


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (Filter(), [PAID, HOME]),
        (Filter(type="track"), [PAID]),
        (Filter(type="page"), [HOME]),
        (Filter(event="Paid"), [PAID]),
        (Filter(event="Home"), [HOME]),
        (Filter(user="u-1"), [PAID]),
        (Filter(user="a-1"), [HOME]),
        (Filter(source="web"), [PAID, HOME]),
        (Filter(source="backend"), []),
        (Filter(type="track", user="a-1"), []),
    ],
)
def test_every_part_of_a_filter_must_match(wanted: Filter, shown: list[bytes]):
    assert [raw for raw in (PAID, HOME) if wanted.matches(stored(raw))] == shown


def test_a_name_is_found_however_the_client_escaped_it():
    escaped = rb'{"type":"track","event":"Caf\u00e9","messageId":"m","userId":"u"}'
    plain = '{"type":"track","event":"Café","messageId":"m","userId":"u"}'.encode()

    assert [Filter(event="Café").matches(stored(raw)) for raw in (escaped, plain)] == [True, True]


def test_a_line_is_one_line_and_keeps_the_events_own_bytes():
    line = line_of(stored(b'{\r\n "type": "track",\n "value": 1e999}'))

    assert line.count(b"\n") == 1
    assert b'"event":{   "type": "track",  "value": 1e999}' in line
    assert json.loads(line)["received_at"] == "2023-11-14T22:13:20.000Z"
    assert (json.loads(line)["offset"], json.loads(line)["source"]) == (41, "web")
