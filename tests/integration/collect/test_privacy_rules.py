"""What a source's owner does not want kept is in no file of the queue, however it was sent."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.model.person import USER_ID, Identifier
from tests.integration.collect.support.daemon import Daemon, running
from tests.integration.collect.support.peer import Response

EMAIL, CARD, TOKEN, ADDRESS = "ada.4711@shop.example", "4111111111111111", "s3cret-t0ken", "203.0.113.77"
NEVER = (EMAIL, EMAIL.replace("@", "%40"), CARD, TOKEN, ADDRESS)
RULES = {
    "ip": "truncate",
    "remove": ["properties.card", "properties.products.card"],
    "hash": ["traits.phone"],
    "emails": "hash",
    "url_parameters": ["token"],
}
EVENT: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m1",
    "userId": "u1",
    "properties": {"card": CARD, "products": [{"card": CARD, "price": 1.10}], "note": f"for {EMAIL}"},
    "traits": {"phone": "+3212345678"},
    "context": {
        "ip": ADDRESS,
        "page": {"url": f"https://shop.example/?token={TOKEN}&email={EMAIL.replace('@', '%40')}"},
    },
}


def sections(privacy: dict[str, Any] | None = None, **source: Any) -> dict[str, Any]:
    rules = RULES if privacy is None else privacy
    web = {"write_keys": ["k"], "allowed_origins": ["*"], "privacy": rules, **source}
    return {
        "server": {"trusted_proxies": ["127.0.0.1"]},
        "sources": {"web": web, "plain": {"write_keys": ["p"]}},
    }


async def post(daemon: Daemon, body: Any, path: str = "/v1/t", **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = {"X_Forwarded_For": ADDRESS, "User_Agent": f"Shop (+mailto:{EMAIL})"} | headers
    return await daemon.gateway.request("POST", path, raw, **said)


async def written(daemon: Daemon) -> list[str]:
    """What is on disk and must not be."""
    content = (await daemon.written()).decode(errors="replace")
    return [each for each in NEVER if each.lower() in content.lower()]


async def test_an_event_is_stored_as_the_rules_let_it(tmp_path: Path):
    async with running(tmp_path, sections()) as daemon:
        assert (await post(daemon, EVENT | {"writeKey": "k"})).status == 200

        (stored,) = await daemon.stored()
        assert await written(daemon) == []

    event = json.loads(stored.raw)
    assert event["properties"]["products"] == [{"price": 1.10}]
    assert b'"price":1.1' in stored.raw
    assert event["properties"]["note"].startswith("for ")
    assert len(event["properties"]["note"]) == len("for ") + 64
    assert len(event["traits"]["phone"]) == 64
    assert event["context"]["ip"] == stored.envelope.ip == "203.0.113.0"
    assert event["context"]["page"]["url"].startswith("https://shop.example/?token=&email=")
    assert stored.envelope.user_agent.startswith("Shop (+mailto:")


async def test_a_source_without_rules_beside_it_keeps_what_came(tmp_path: Path):
    raw = json.dumps(EVENT | {"writeKey": "p"}).encode()
    async with running(tmp_path, sections()) as daemon:
        assert (await post(daemon, raw)).status == 200

        (stored,) = await daemon.stored()
        assert await written(daemon) == list(NEVER), "the search finds what is there"

    assert (stored.raw, stored.envelope.ip) == (raw, ADDRESS)


def other(number: int) -> dict[str, Any]:
    return EVENT | {"messageId": f"m{number}", "anonymousId": EMAIL, "userId": None}


BATCH = {"batch": [other(1), other(2)], "writeKey": "k", "sentAt": EMAIL, "context": {"campaign": {"name": EMAIL}}}
POSTHOG = {
    "api_key": "k",
    "batch": [{"event": "Paid", "distinct_id": EMAIL, "properties": {"$ip": ADDRESS, "card": CARD, "note": EMAIL}}],
}
SNOWPLOW = {
    "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
    "data": [{"e": "pv", "aid": "k", "duid": EMAIL, "ip": ADDRESS, "url": f"https://shop.example/?token={TOKEN}"}],
}
ODD = (  # keys twice, escapes, a byte order mark, NaN: what takes the slow way
    '{"type":"track","event":"E","messageId":"m","userId":"u","writeKey":"k","traits":{"a":"EMAIL"},"traits":{},'
    '"context":{"ip":"ADDRESS","page":{"u\\u0072l":"?t\\u006fken=TOKEN"}},"properties":[{"card":"CARD"}],"n":NaN,'
    '"x":"ada.4711\\u0040shop.example","y":"ada.4711\\u002540shop.example"}'
)
for word, value in (("EMAIL", EMAIL), ("ADDRESS", ADDRESS), ("TOKEN", TOKEN), ("CARD", CARD)):
    ODD = ODD.replace(word, value)


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/b", json.dumps(BATCH).encode(), {}),
        ("/v1/b", gzip.compress(json.dumps(BATCH).encode()), {}),
        ("/v1/b", json.dumps(BATCH | {"batch": [other(n) for n in range(900)]}).encode(), {}),
        ("/v1/t", b"\xef\xbb\xbf" + ODD.encode(), {}),
        ("/v1/t", ODD.replace("NaN", "1").encode(), {}),
        ("/e", json.dumps(POSTHOG).encode(), {}),
        ("/com.snowplowanalytics.snowplow/tp2", json.dumps(SNOWPLOW).encode(), {}),
        ("/js/headwater", json.dumps(BATCH).encode(), {"Origin": "https://shop.example"}),
    ],
    ids=["batch", "gzip", "in a thread", "mended", "twice", "posthog", "snowplow", "script"],
)
async def test_no_way_in_leads_around_the_rules(tmp_path: Path, path: str, body: bytes, headers: dict[str, str]):
    async with running(tmp_path, sections()) as daemon:
        assert (await post(daemon, body, path, **headers)).status == 200

        assert await daemon.stored()
        assert await written(daemon) == []


async def test_the_pixel_obeys_too(tmp_path: Path):
    async with running(tmp_path, sections()) as daemon:
        said = {"X_Forwarded_For": ADDRESS, "Referer": f"https://shop.example/?token={TOKEN}"}
        path = f"/js/headwater?event=Opened&p.card={CARD}&p.to={EMAIL.replace('@', '%40')}"
        assert (await daemon.gateway.request("GET", path, **said)).status == 200

        assert len(await daemon.stored()) == 1
        assert await written(daemon) == []


@pytest.mark.parametrize(
    ("body", "reason", "start"),
    [
        (EVENT | {"userId": None, "writeKey": "k"}, "missing_user", '"event":"Order Completed"'),
        (EVENT | {"userId": {"email": EMAIL}, "writeKey": "k"}, "invalid_id", '"event":"Order Completed"'),
        (EVENT | {"userId": None, "pad": "x" * 3000, "writeKey": "k"}, "missing_user", ""),
        (b'{"writeKey":"k","batch":["' + EMAIL.encode() + b'"]}', "not_an_object", ""),
        (b'{"writeKey":"k","userId":"' + EMAIL.encode() + b'",', "invalid_json", ""),
        (EVENT | {"writeKey": "unknown"}, "unknown_write_key", ""),
        (gzip.compress(json.dumps(EVENT | {"writeKey": "unknown"}).encode()), "unknown_write_key", ""),
    ],
)
async def test_refused_events_are_kept_by_the_same_rules_or_without_what_was_in_them(
    tmp_path: Path, body: Any, reason: str, start: str
):
    async with running(tmp_path, sections()) as daemon:
        await post(daemon, body)

        (rejected,) = await daemon.queue.rejected(10)
        assert await written(daemon) == []

    assert rejected.reason == reason
    assert start in rejected.body.decode()
    assert bool(rejected.body) == bool(start)
    assert rejected.ip == "203.0.113.0"


async def test_where_addresses_are_dropped_none_is_kept_anywhere(tmp_path: Path):
    async with running(tmp_path, sections({"ip": "drop"})) as daemon:
        await post(daemon, EVENT | {"writeKey": "k"})
        await post(daemon, b"{}")

        (stored,) = await daemon.stored()
        (rejected,) = await daemon.queue.rejected(10)
        assert ADDRESS.encode() not in await daemon.written()

    assert (stored.envelope.ip, rejected.ip) == ("", "")
    assert "ip" not in json.loads(stored.raw)["context"]


async def test_a_person_who_asked_to_be_forgotten_is_known_by_the_id_that_came_and_by_its_hash(tmp_path: Path):
    async with running(tmp_path, sections({"hash": ["userId"]})) as daemon:
        for user in ("ada", "ben"):
            assert (await post(daemon, EVENT | {"messageId": user, "userId": user, "writeKey": "k"})).status == 200
        (_, ben) = await daemon.stored()
        hashed = json.loads(ben.raw)["userId"]
        suppression = daemon.queue.suppression
        suppression.digests |= {
            suppression.digest(Identifier(USER_ID, "ada")),
            suppression.digest(Identifier(USER_ID, hashed)),
        }
        for user in ("ada", "ben", "eve"):
            event = EVENT | {"messageId": f"{user}-2", "userId": user, "writeKey": "k"}
            assert (await post(daemon, event)).status == 200

        assert daemon.gateway.count("events_withheld", source="web", reason="suppressed") == 2
        assert [json.loads(each.raw)["messageId"] for each in await daemon.stored()] == ["ada", "ben", "eve-2"]
