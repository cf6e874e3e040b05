"""Golden files: an event, and the exact requests that it must become, written by hand from the vendor's documentation.

`tests/golden/TYPE/CASE.json` holds `from` (the vendor's page), `event` or `events` (as clients send them), `settings`
(beside those that the simulator requires), `requests` (method, url, headers, body), and, where one request hangs on the
answer to another, `answers`. Headers that a file does not name are not compared.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from gateway.config import DestinationSettings
from gateway.deliver import preview
from gateway.deliver.breaker import Moment
from gateway.deliver.decode import canonical_event
from gateway.deliver.governing import Given, Governor
from gateway.deliver.plans import Plan
from gateway.deliver.prepare import address
from gateway.deliver.preview import shown
from gateway.deliver.progress import Filtered
from gateway.destinations import Destination, Payload, Response
from gateway.model.envelope import Stored
from gateway.transforms import Chains
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
    replies = [Response(answer["status"], {}, orjson.dumps(answer.get("body", {}))) for answer in answers]
    payloads = payloads_for(kind, settings, events)
    return [
        shown(request) for request in preview.requests_for(payloads, Plan(kind.type, kind, settings), AT_MS, replies)
    ]


def payloads_for(
    kind: Destination[Any], settings: DestinationSettings, events: Sequence[Mapping[str, Any]]
) -> list[Payload]:
    """What the events become, all in one row; what has no counterpart becomes nothing."""
    plan, now = Plan(kind.type, kind, settings), Moment(0.0, AT_MS)
    governor = Governor(kind.type, plan.route, settings, Chains())
    found: list[Payload] = []
    for offset, event in enumerate(events):
        stored = Stored(offset, orjson.dumps(event), ENVELOPE)
        admitted = governor.admit(Given(stored, canonical_event))
        prepared = address(stored, [admitted], plan, now) if isinstance(admitted, dict) else admitted
        if isinstance(prepared, Filtered):
            continue
        assert isinstance(prepared, list), prepared
        found += [item.payload for item in prepared]
    return found


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
