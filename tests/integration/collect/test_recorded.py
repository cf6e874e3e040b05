"""What fourteen real SDKs sent, sent again byte for byte as it was on the wire."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.collect.support.gateway import Serve

FIXTURES = Path(__file__).parents[2] / "fixtures" / "wire"
PAGE = "http://localhost:9200"
OURS = ("/v1/", "/beacon/", "/sourceConfig", "/cfg/sourceConfig")


def recorded() -> Iterator[Any]:
    for path in sorted(FIXTURES.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines()):
            record = json.loads(line)
            if record["path"].startswith(OURS):
                yield pytest.param(record, id=f"{path.stem}-{number}-{record['method']}-{record['path']}")


def wire_bytes(record: dict[str, Any]) -> bytes:
    """The request with the encoding it had. Host and length are the only headers that are made anew."""
    body = (record["body"] or "").encode()
    if record["wire_encoding"].startswith("gzip"):
        body = gzip.compress(body)
    query = f"?{urlencode(record['query'], doseq=True)}" if record["query"] else ""
    headers = {name: value for name, value in record["headers"].items() if name not in {"host", "content-length"}}
    if record["wire_encoding"] == "gzip":
        headers["content-encoding"] = "gzip"
    headers |= {"host": "127.0.0.1:9100", "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{record['method']} {record['path'].replace('/cfg/', '/')}{query} HTTP/1.1\r\n{lines}\r\n".encode() + body


def sent_events(record: dict[str, Any]) -> list[dict[str, Any]]:
    if record["method"] != "POST" or record["path"] == "/v1/m":
        return []
    body = json.loads(record["body"])
    return body.get("batch", [body])


@pytest.mark.parametrize("record", list(recorded()))
async def test_a_recorded_request_is_answered_and_its_events_are_stored(serve: Serve, record: dict[str, Any]):
    sources = {"web": {"write_keys": ["FAKE_WRITE_KEY"], "allowed_origins": [PAGE]}}
    gateway = await serve(sources=sources)
    peer = await gateway.connect()

    await peer.send(wire_bytes(record))
    answer = await peer.answer(record["method"])

    assert answer.status == (204 if record["method"] == "OPTIONS" else 200)
    if record["headers"].get("origin"):
        assert answer.headers["access-control-allow-origin"] == PAGE
    sent = sent_events(record)
    stored = [json.loads(raw) for raw in gateway.queue.raws]
    assert [event["messageId"] for event in stored] == [event["messageId"] for event in sent]
    for event, original in zip(stored, sent, strict=True):
        assert {**event, "userId": event.get("userId") or ""} == {**original, "userId": original.get("userId") or ""}
        assert event.get("userId") != ""
    assert gateway.queue.rejected == []


async def test_every_family_of_sdk_is_among_them():
    assert {record.values[0]["sdk"].partition("@")[0] for record in recorded()} >= {
        "segment-analytics-node",
        "segment-analytics-python",
        "rudder-sdk-node",
        "rudder-sdk-python",
    }
    assert {record.values[0]["wire_encoding"] for record in recorded()} == {"identity", "gzip"}
