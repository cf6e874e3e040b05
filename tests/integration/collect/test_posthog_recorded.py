"""What PostHog's SDKs sent when they were recorded, sent again, and what each event is in the Segment spec."""

import base64
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import pytest

from gateway.model.event import canonical, from_epoch_ms
from tests.integration.collect.support.gateway import Gateway, Serve
from tests.integration.collect.support.peer import Response

FIXTURES = Path(__file__).parents[2] / "fixtures" / "wire"
PAGE = "http://localhost:9200"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
ROUNDING = timedelta(seconds=1)
"""Times are kept in milliseconds, and an `offset` counts from when the request was in hand."""

Said = dict[str, Any]


def web(session: str, search: str, version: str = "1.449.2", title: str = "") -> Said:
    """The context of an event in the browser."""
    page = {"url": f"{PAGE}/{search}", "path": "/", "search": search} | ({"title": title} if title else {})
    context = {
        "library": {"name": "web", "version": version},
        "sessionId": session,
        "page": page,
        "locale": "en-US",
        "screen": {"width": 1280, "height": 720},
        "userAgent": AGENT,
        "os": {"name": "Linux"},
        "device": {"type": "Desktop"},
    }
    if "utm_source" in search:
        context["campaign"] = {"source": "news", "medium": "email", "name": "spring"}
    return context if version == "1.100.0" else context | {"timezone": "UTC"}


def server(name: str, version: str) -> Said:
    """The context of an event of a server: the agent is the SDK's own."""
    return {"library": {"name": name, "version": version}, "userAgent": f"{name}/{version}"}


NEWS = "?utm_source=news&utm_medium=email&utm_campaign=spring&gclid=FAKEGCLID&b="
VISITOR = {"anonymousId": "01a21093-e61b-724e-953b-7f8d2dd7fbe4"}
USER = {**VISITOR, "userId": "user-fake-1"}
AFTER_RESET = {"anonymousId": "01a21093-fdb8-7b3c-8ac0-4dcc793468be"}
SESSION = "01a21093-e64d-7364-bc82-f4031dcf6071"
NEXT_SESSION = "01a21093-fdbc-7937-b868-8c448f36b686"
PLAIN_VISITOR = {"anonymousId": "01a21096-0945-703b-83d4-fae917179c76"}
PLAIN_SESSION = "01a21096-0982-73bc-878e-54b39a847d50"
LAST_VISITOR = {"anonymousId": "01a2109d-7b5f-7e9e-ba39-17eb59a6414f"}
LAST_SESSION = "01a2109d-7b80-7f8a-9270-ed6015e02e4f"
OLD_VISITOR = {"anonymousId": "01a21095-e635-784b-a0a5-b9084400eb26"}
OLD_USER = {**OLD_VISITOR, "userId": "user-fake-1"}
OLD_SESSION = "01a21095-e63a-7d18-bdab-1948ebb480af"
AFTERWARDS = {name: said for name, said in web(NEXT_SESSION, f"{NEWS}ph").items() if name != "campaign"}
"""A reset forgets the campaign, too."""
OLD = web(OLD_SESSION, f"{NEWS}oldph", "1.100.0")
NODE = server("posthog-node", "5.70.0")
PYTHON = server("posthog-python", "7.91.1")

EXPECTED: dict[str, Said] = {
    # posthog-js 1.449.2: a visit with identify, group, alias and reset
    "01a21093-e62d-7c24-b5c6-f48f9825f6ff": {
        "type": "page",
        **VISITOR,
        "context": web(SESSION, f"{NEWS}ph", title="Fake Shop"),
    },
    "01a21093-ec0c-7579-ba40-fa0c4c40e0ab": {"type": "identify", **USER, "context": web(SESSION, f"{NEWS}ph")},
    "01a21093-ec10-728e-8196-f22ebc0f4dc6": {
        "type": "track",
        "event": "Order Completed",
        **USER,
        "context": web(SESSION, f"{NEWS}ph"),
    },
    "01a21093-ec18-77b0-8ba9-37c7a46f6596": {
        "type": "group",
        "groupId": "group-fake-1",
        "traits": {"name": "Fake Inc"},
        **USER,
        "context": {**web(SESSION, f"{NEWS}ph"), "groupType": "company"},
    },
    "01a21093-ec1e-7f48-b45b-f3a10b5c2e8b": {
        "type": "alias",
        "previousId": "user-fake-2",
        **USER,
        "context": web(SESSION, f"{NEWS}ph"),
    },
    "01a21093-fdbb-7701-88a6-a6cd93206d51": {
        "type": "track",
        "event": "After Reset",
        **AFTER_RESET,
        "context": AFTERWARDS,
    },
    "01a21093-fdbe-7442-9758-5cfe7d383559": {
        "type": "track",
        "event": "Left Page",
        **AFTER_RESET,
        "context": AFTERWARDS,
    },
    "01a21093-fddf-702b-9151-4f4bdd6e6ba8": {
        "type": "track",
        "event": "$pageleave",
        **AFTER_RESET,
        "context": AFTERWARDS,
    },
    # the same without compression, and with a beacon at the end
    "01a21096-0971-791e-9efa-26a5c0994a25": {
        "type": "page",
        **PLAIN_VISITOR,
        "context": web(PLAIN_SESSION, "?&b=ph", title="Fake Shop"),
    },
    "01a21096-0f2c-7de3-bb91-04f4ee72b71c": {
        "type": "track",
        "event": "Order Completed",
        **PLAIN_VISITOR,
        "context": web(PLAIN_SESSION, "?&b=ph"),
    },
    "01a21096-1ecf-712f-9a75-4033fa8e6861": {
        "type": "track",
        "event": "Left Page",
        **PLAIN_VISITOR,
        "context": web(PLAIN_SESSION, "?&b=ph"),
    },
    "01a21096-1ee1-7044-ac08-10822513bf41": {
        "type": "track",
        "event": "$pageleave",
        **PLAIN_VISITOR,
        "context": web(PLAIN_SESSION, "?&b=ph"),
    },
    # the same where nothing but events was answered
    "01a2109d-7b6d-7402-bde0-0a355bb9a50f": {
        "type": "page",
        **LAST_VISITOR,
        "context": web(LAST_SESSION, "?&b=ph", title="Fake Shop"),
    },
    "01a2109d-8143-71c8-977a-e0bf38ab288f": {
        "type": "track",
        "event": "A",
        **LAST_VISITOR,
        "context": web(LAST_SESSION, "?&b=ph"),
    },
    # posthog-js 1.100.0
    "01a21095-e638-7867-9e20-b011c86700a8": {
        "type": "page",
        **OLD_VISITOR,
        "context": web(OLD_SESSION, f"{NEWS}oldph", "1.100.0", "Fake Shop"),
    },
    "01a21095-ec21-7144-b8fa-d8a4bd813065": {"type": "identify", **OLD_USER, "traits": {"plan": "pro"}, "context": OLD},
    "01a21095-ec25-7587-aeeb-5ee6f6d21d44": {"type": "track", "event": "Order Completed", **OLD_USER, "context": OLD},
    "01a21095-fbc5-7b10-9760-e1ba31fc7e42": {"type": "track", "event": "Left Page", **OLD_USER, "context": OLD},
    "01a21095-fbe1-7e6e-8d70-6071338f791c": {"type": "track", "event": "$pageleave", **OLD_USER, "context": OLD},
    # posthog-node 5.70.0
    "01a2108b-ecaa-7b55-97cf-8cb6c3b1d90c": {
        "type": "identify",
        "userId": "user-fake-1",
        "traits": {"plan": "pro"},
        "context": NODE,
    },
    "01a2108b-ecaa-7b55-97cf-8cb7989276de": {
        "type": "track",
        "event": "Order Completed",
        "userId": "user-fake-1",
        "context": NODE,
    },
    "01a2108b-ecaa-7b55-97cf-8cb8574e82b7": {
        "type": "page",
        "userId": "anon-fake-1",
        "context": {**NODE, "page": {"url": "https://shop.example/", "path": "/"}},
    },
    "01a2108b-ecaa-7b55-97cf-8cb92e5d66dd": {
        "type": "group",
        "anonymousId": "$company_group-fake-1",
        "groupId": "group-fake-1",
        "traits": {"name": "Fake Inc"},
        "context": {**NODE, "groupType": "company"},
    },
    "01a2108b-ecaa-7b55-97cf-8cba1d246c28": {
        "type": "alias",
        "userId": "user-fake-1",
        "previousId": "anon-fake-1",
        "context": NODE,
    },
    "01a2108b-ecb7-7c2d-8c39-97bb0f7b5a1b": {
        "type": "track",
        "event": "$feature_flag_called",
        "userId": "user-fake-1",
        "context": NODE,
    },
    # posthog (Python) 7.91.1
    "4a4e521d-920c-45f6-90a8-366792b9a77a": {
        "type": "track",
        "event": "Order Completed",
        "userId": "user-fake-1",
        "context": PYTHON,
    },
    "c4a65d37-dfec-43ee-9c7e-d8594a93d0ea": {
        "type": "identify",
        "userId": "user-fake-1",
        "traits": {"plan": "pro"},
        "context": PYTHON,
    },
    "066ffbfe-329e-45e0-8ac8-a65b06c990f7": {
        "type": "group",
        "userId": "a0cb726f-c434-4a60-87fc-eb2107f9989f",
        "groupId": "group-fake-1",
        "traits": {"name": "Fake Inc"},
        "context": {**PYTHON, "groupType": "company"},
    },
    "252081bf-3f4f-4acb-b09b-965b904d97c7": {
        "type": "alias",
        "userId": "anon-fake-1",
        "previousId": "user-fake-1",
        "context": PYTHON,
    },
    "74888777-eca4-4f27-a42e-2974e6581b15": {
        "type": "track",
        "event": "$feature_flag_called",
        "userId": "user-fake-1",
        "context": PYTHON,
    },
}
ANSWERS = {
    "/e/": {"status": 1},
    "/batch/": {"status": 1},
    "/flags/": {"flags": {}, "errorsWhileComputingFlags": False},
    "/decide/": {
        "config": {},
        "supportedCompression": ["gzip-js"],
        "featureFlags": {},
        "sessionRecording": False,
        "siteApps": [],
    },
    "/array/phc_FAKE_KEY/config": {
        "token": "phc_FAKE_KEY",
        "supportedCompression": ["gzip", "gzip-js"],
        "hasFeatureFlags": False,
        "sessionRecording": False,
        "surveys": False,
        "heatmaps": False,
        "capturePerformance": False,
        "isAuthenticated": False,
        "siteApps": [],
    },
}


def recorded() -> Iterator[Any]:
    for path in sorted(FIXTURES.glob("posthog-*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines()):
            record = json.loads(line)
            yield pytest.param(record, id=f"{path.stem}-{number}-{record['method']}-{record['path']}")


def frame_of(record: dict[str, Any]) -> Said:
    """What was sent, without its wrapping; empty where it holds no events."""
    if record["path"] not in {"/e/", "/batch/"} or record["method"] != "POST":
        return {"batch": []}
    text = record["body"]
    if text.startswith("data="):
        text = base64.b64decode(unquote(text.removeprefix("data="))).decode()
    frame = json.loads(text)
    if isinstance(frame, dict) and "batch" in frame:
        return frame
    return {"batch": frame if isinstance(frame, list) else [frame], "sent_at": record["query"]["_"]}


async def replay(serve: Serve, record: dict[str, Any]) -> tuple[Gateway, Response]:
    gateway = await serve(sources={"web": {"write_keys": ["phc_FAKE_KEY"], "allowed_origins": [PAGE]}})
    body = (record["body"] or "").encode()
    wire = gzip.compress(body) if record["wire_encoding"].startswith("gzip") else body
    headers = {name: value for name, value in record["headers"].items() if name not in {"host", "content-length"}}
    query = f"?{urlencode(record['query'])}" if record["query"] else ""
    return gateway, await gateway.request(record["method"], record["path"] + query, wire, **headers)


def clock(text: str) -> datetime:
    """A client's time: ISO 8601, or milliseconds since the epoch."""
    return datetime.fromtimestamp(int(text) / 1000, UTC) if text.isdigit() else datetime.fromisoformat(text)


def happened(sent: Said, sent_at: str, received_at: datetime) -> datetime:
    """When an event was by our clock: the recording's clock is days behind it."""
    if "timestamp" in sent:
        return received_at - (clock(sent_at) - clock(sent["timestamp"]))
    return received_at - timedelta(milliseconds=sent["offset"])


def meant_by(sent: Said) -> Said:
    """The event of the spec, short of its times."""
    meant = EXPECTED[sent["uuid"]]
    said = {name: value for name, value in sent["properties"].items() if name != "token"}
    said |= {name: sent[name] for name in ("$set", "$set_once") if name in sent}
    page = meant["context"]["page"] if meant["type"] == "page" else {}
    traits = {"traits": {**said.get("$set_once", {}), **said["$set"]}} if meant["type"] == "identify" else {}
    context = {**meant["context"], "ip": "127.0.0.1"}
    return {"messageId": sent["uuid"], **meant, **traits, "context": context, "properties": {**page, **said}}


@pytest.mark.parametrize("record", list(recorded()))
async def test_a_recorded_request_is_answered(serve: Serve, record: dict[str, Any]):
    gateway, answer = await replay(serve, record)

    if record["method"] == "OPTIONS":
        assert answer.status == 204
    elif record["path"] in ANSWERS:
        assert (answer.status, json.loads(answer.body)) == (200, ANSWERS[record["path"]])
    else:
        assert answer.status == 404
    assert answer.headers.get("access-control-allow-origin") == record["headers"].get("origin")
    assert gateway.queue.rejected == []


@pytest.mark.parametrize("record", list(recorded()))
async def test_its_events_are_stored(serve: Serve, record: dict[str, Any]):
    gateway, _ = await replay(serve, record)

    frame = frame_of(record)
    for (envelope, raw), sent in zip(gateway.queue.stored, frame["batch"], strict=True):
        event = canonical(json.loads(raw), envelope)
        received_at = from_epoch_ms(envelope.received_at_ms)
        timestamp, original = clock(event.pop("timestamp")), event.pop("originalTimestamp")
        assert clock(event.pop("receivedAt")) == received_at
        assert event.pop("sentAt") == frame["sent_at"]
        assert abs(timestamp - happened(sent, frame["sent_at"], received_at)) < ROUNDING
        assert original == sent.get("timestamp", original)
        assert event == meant_by(sent)


def test_every_recorded_event_is_expected():
    sent = [event["uuid"] for record in recorded() for event in frame_of(record.values[0])["batch"]]

    assert sorted(sent) == sorted(EXPECTED)
