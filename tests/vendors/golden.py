"""Golden files: an event, and the exact requests that it must become, written by hand from the vendor's documentation.

`tests/golden/TYPE/CASE.json` holds `from` (the vendor's page), `event` or `events` (as clients send them), `settings`
(beside those that the simulator requires), `requests` (method, url, headers, body), and, where one request hangs on the
answer to another, `answers`. Headers that a file does not name are not compared.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson

from gateway.config import DestinationSettings
from gateway.deliver.breaker import Moment
from gateway.deliver.decode import canonical_event
from gateway.deliver.prepare import Plan, prepare
from gateway.deliver.progress import Filtered
from gateway.destinations import Destination, Payload, Publication, Request, Response, Sending
from gateway.model.envelope import Stored
from tests.vendors.events import AT_MS, ENVELOPE

FOLDER = Path(__file__).parents[1] / "golden"


def cases(kind: str) -> list[Path]:
    """The files of one kind of destination."""
    return sorted((FOLDER / kind).glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {"settings": {}, "answers": [], "events": [case["event"]] if "event" in case else [], **case}


def requests_for(
    kind: Destination[Any],
    settings: DestinationSettings,
    events: Sequence[Mapping[str, Any]],
    answers: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """What would be sent for the events, in the shape of a golden file."""
    replies = iter([*answers])
    payloads = payloads_for(kind, settings, events)
    requests: list[dict[str, Any]] = []
    for key, group in groupby(payloads, key=lambda payload: payload.key):
        for batch in _parted([*group], kind.batch_events(settings, key)):
            requests += map(shown, _said(kind, settings, batch, replies))
    return requests


def payloads_for(
    kind: Destination[Any], settings: DestinationSettings, events: Sequence[Mapping[str, Any]]
) -> list[Payload]:
    plan, now = Plan(kind.type, kind, settings), Moment(0.0, AT_MS)
    found: list[Payload] = []
    for offset, event in enumerate(events):
        prepared = prepare(Stored(offset, orjson.dumps(event), ENVELOPE), plan, canonical_event, now)
        if isinstance(prepared, Filtered):
            continue
        assert isinstance(prepared, list), prepared
        found += [item.payload for item in prepared]
    return found


def shown(request: Request | Publication) -> dict[str, Any]:
    if isinstance(request, Publication):
        records = [
            {"topic": each.topic, "key": each.key, "value": _body(each.value), "headers": dict(each.headers)}
            for each in request.records
        ]
        return {"records": records}
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {"method": request.method, "url": request.url, "headers": headers, "body": _body(request.body)}


def expected(case: Mapping[str, Any], made: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the file says; of the headers of `made` only those that it names are left in `made`."""
    return [
        {"method": "POST", "headers": {}, **request} if "url" in request else request for request in case["requests"]
    ]


def only_named_headers(made: Sequence[dict[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    named = [set(request.get("headers", ())) for request in wanted] + [set()] * len(made)
    return [
        {**request, "headers": {name: value for name, value in request["headers"].items() if name in names}}
        if "headers" in request
        else request
        for request, names in zip(made, named, strict=False)
    ]


def _parted(payloads: Sequence[Payload], most: int) -> Iterator[Sequence[Payload]]:
    for start in range(0, len(payloads), most):
        yield payloads[start : start + most]


def _said(
    kind: Destination[Any],
    settings: DestinationSettings,
    batch: Sequence[Payload],
    replies: Iterator[Mapping[str, Any]],
) -> Iterator[Request | Publication]:
    conversation = kind.conversation(batch, settings, Sending(AT_MS, "t0ken" if kind.grant else ""))
    try:
        request = next(conversation)
        while True:
            yield request
            reply = next(replies, {"status": 200})
            request = conversation.send(Response(reply["status"], {}, orjson.dumps(reply.get("body", {}))))
    except StopIteration:
        return


def _body(raw: bytes) -> Any:
    """JSON, JSON lines, or text."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return [orjson.loads(line) for line in raw.splitlines()]
    except orjson.JSONDecodeError:
        return raw.decode()
