"""What seventeen real SDKs sent, recorded from them, sent again: every event is one row."""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import aiohttp

from tests.e2e.harness.configuration import Plan
from tests.e2e.harness.daemon import MakeDaemon

FIXTURES = Path(__file__).parents[1] / "fixtures" / "wire"
KEYS = ["FAKE_WRITE_KEY", "phc_FAKE_KEY", "fake-app"]
SOURCE = f'[sources.web]\nwrite_keys = {json.dumps(KEYS)}\nallowed_origins = ["*"]\n'
WAREHOUSE = '[destinations.warehouse]\ntype = "duckdb"\npath = "{duckdb}"\n'
TABLES = ("tracks", "pages", "screens", "identifies", "groups", "aliases")
WITHOUT_EVENTS = ("/v1/m", "/flags", "/decide", "/array", "/static", "/s", "/sourceConfig", "/v1/projects")
NOT_THE_GATEWAYS = ("/cfg/",)
"""A path prefix of the recording's own."""
DROPPED_BY_HOP = {"host", "content-length", "content-encoding", "accept-encoding", "connection"}


def records() -> Iterator[dict[str, Any]]:
    for path in sorted(FIXTURES.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if record["method"] in {"GET", "POST"} and not record["path"].startswith(NOT_THE_GATEWAYS):
                yield record


def ids_in(record: dict[str, Any]) -> set[str]:
    """The ids that the SDK gave to the events of a request: messageId, Snowplow's eid, PostHog's uuid."""
    if record["path"].startswith(WITHOUT_EVENTS):
        return set()
    if record["method"] == "GET":
        return {record["query"]["eid"]} if "eid" in record["query"] else set()
    body = json.loads(unwrapped(record["body"]))
    events = body if isinstance(body, list) else body.get("batch", body.get("data", [body]))
    return {event.get("messageId") or event.get("eid") or event.get("uuid") for event in events}


def unwrapped(body: str) -> str:
    """The JSON in a form of PostHog's."""
    if not body.startswith("data="):
        return body
    return base64.b64decode(unquote_plus(body.removeprefix("data="))).decode()


async def send(http: aiohttp.ClientSession, url: str, record: dict[str, Any]) -> int:
    """The request as it was on the wire, but for the host. Its answer's status."""
    body = (record["body"] or "").encode()
    headers = {name: value for name, value in record["headers"].items() if name.lower() not in DROPPED_BY_HOP}
    if record["wire_encoding"].startswith("gzip"):
        body = gzip.compress(body)
    if record["wire_encoding"] == "gzip":
        headers["content-encoding"] = "gzip"
    async with http.request(
        record["method"], url + record["path"], params=record["query"], data=body or None, headers=headers
    ) as answer:
        return answer.status


async def test_every_recorded_event_is_one_row(make_daemon: MakeDaemon, http: aiohttp.ClientSession):
    daemon = make_daemon(Plan(sources=SOURCE, destinations=WAREHOUSE))
    await daemon.start()
    sent: set[str] = set()

    for record in records():
        status = await send(http, daemon.url, record)
        if ids := ids_in(record):
            assert status == 200, (record["sdk"], record["path"])
            sent |= ids
    await daemon.settled("warehouse")
    assert await daemon.stop() == 0

    rows = Counter(row for table in TABLES for (row,) in daemon.rows(f"select id from {table}"))
    assert len(sent) > 100
    assert rows == Counter(sent)
