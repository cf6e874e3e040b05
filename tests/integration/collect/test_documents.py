"""What SDKs and browsers fetch: settings, pixels, the script, the demonstration shop."""

import base64
import gzip
import json

import brotli
import pytest

from gateway.script import load_assets
from tests.integration.collect.support.gateway import Gateway, Serve

KEY = "Basic azo="


async def test_analytics_js_gets_settings_that_lead_back_to_us(gateway: Gateway):
    answer = await gateway.request("GET", "/v1/projects/k/settings", Host="gw.example:8443")

    assert json.loads(answer.body) == {
        "integrations": {"Segment.io": {"apiKey": "k", "apiHost": "gw.example:8443/v1", "protocol": "http"}},
        "metrics": {"sampleRate": 0},
    }
    assert answer.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("path", ["/projects/k/settings", "/v1/projects/k/settings/", "/v1/v1/projects/k/settings?x=1"])
async def test_mobile_sdks_ask_for_them_without_the_version(gateway: Gateway, path: str):
    assert (await gateway.request("GET", path)).status == 200


@pytest.mark.parametrize(
    ("headers", "protocol"),
    [
        ({}, "http"),
        ({"Origin": "https://shop.example"}, "https"),
        ({"X_Forwarded_Proto": "https"}, "https"),
        ({"X_Forwarded_Proto": "gopher"}, "http"),
    ],
)
async def test_the_protocol_is_the_browsers(serve: Serve, headers: dict[str, str], protocol: str):
    gateway = await serve(server={"trusted_proxies": ["127.0.0.0/8"], "path_prefix": "/e"})

    answer = await gateway.request("GET", "/e/v1/projects/k/settings", **headers)

    destination = json.loads(answer.body)["integrations"]["Segment.io"]
    assert (destination["protocol"], destination["apiHost"]) == (protocol, "gw.example/e/v1")


async def test_a_proxy_that_is_not_trusted_is_not_believed(gateway: Gateway):
    answer = await gateway.request("GET", "/v1/projects/k/settings", X_Forwarded_Proto="https")

    assert b'"protocol":"http"' in answer.body


async def test_an_unknown_key_gets_settings_too_so_that_its_events_are_seen(gateway: Gateway):
    answer = await gateway.request("GET", "/v1/projects/no%22body/settings")

    assert answer.status == 200
    assert json.loads(answer.body)["integrations"]["Segment.io"]["apiKey"] == 'no"body'


@pytest.mark.parametrize("host", ['x","a":"', "", "a b"])
async def test_a_host_that_is_none_is_not_repeated(gateway: Gateway, host: str):
    assert (await gateway.request("GET", "/v1/projects/k/settings", Host=host)).status == 400


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/sourceConfig?writeKey=k", {}),
        ("/sourceConfig/?p=npm&v=3", {"Authorization": KEY}),
        ("/v1/sourceConfig?writeKey=k", {}),
    ],
)
async def test_rudder_js_gets_its_source(gateway: Gateway, path: str, headers: dict[str, str]):
    answer = await gateway.request("GET", path, **headers)

    source = json.loads(answer.body)["source"]
    assert (source["id"], source["enabled"], source["config"], source["destinations"]) == ("web", True, {}, [])


async def test_rudder_js_with_an_unknown_key_is_told(gateway: Gateway):
    answer = await gateway.request("GET", "/sourceConfig?writeKey=nobody")

    assert (answer.status, json.loads(answer.body)["code"]) == (401, "unknown_write_key")


def encoded(event: dict[str, object], url_safe: bool = False) -> str:
    text = json.dumps(event).encode()
    return (base64.urlsafe_b64encode(text).rstrip(b"=") if url_safe else base64.b64encode(text)).decode()


EVENT = {"writeKey": "k", "anonymousId": "a???>>>", "messageId": "m", "event": "Opened", "properties": {"n": 1}}
KEYLESS = {name: value for name, value in EVENT.items() if name != "writeKey"}


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/pixel/track?data={encoded(EVENT)}",
        f"/v1/pixel/track?data={encoded(EVENT, url_safe=True)}",
        f"/v1/pixel/track.gif?data={encoded(EVENT)}",
        f"/pixel/v1/track/?data={encoded(EVENT, url_safe=True)}",
        f"/v1/pixel/track?writeKey=k&data={encoded(KEYLESS, url_safe=True)}",
    ],
)
async def test_a_pixel_carries_an_event_in_base64(gateway: Gateway, path: str):
    answer = await gateway.request("GET", path)

    assert (answer.status, answer.headers["content-type"], answer.body[:6]) == (200, "image/gif", b"GIF89a")
    assert answer.headers["cache-control"] == "no-store"
    stored = json.loads(gateway.queue.raws[0])
    assert stored | {"writeKey": "k"} == {"type": "track"} | EVENT


async def test_a_pixel_carries_an_event_in_plain_fields(gateway: Gateway):
    await gateway.request(
        "GET", "/pixel/v1/page?writeKey=k&anonymousId=a&name=Home&properties.plan=pro&context.page.path=%2Fx%20y"
    )

    stored = json.loads(gateway.queue.raws[0])
    assert (stored["type"], stored["name"], stored["properties"]) == ("page", "Home", {"plan": "pro"})
    assert stored["context"]["page"] == {"path": "/x y"}
    assert stored["context"]["gateway"] == {"generated": ["messageId"]}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/v1/pixel/page?data=!!!", "invalid_json"),
        ("/v1/pixel/page?data=", "empty_body"),
        ("/v1/pixel/page?writeKey=k&a=1&a.b=2", "invalid_json"),
        ("/v1/pixel/page?writeKey=k", "missing_user"),
        ("/v1/pixel/page?writeKey=nobody&userId=u", "unknown_write_key"),
        ("/v1/pixel/page?" + "&".join(f"f{n}=1" for n in range(500)), "missing_write_key"),
    ],
)
async def test_a_pixel_is_an_image_whatever_happens_and_the_refusal_is_counted(
    gateway: Gateway, path: str, reason: str
):
    answer = await gateway.request("GET", path)

    assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
    assert [rejected.reason for rejected in gateway.queue.rejected] == [reason]


async def test_a_pixel_waits_for_the_commit(serve: Serve):
    gateway = await serve(server={"ack_timeout": "300ms"})
    gateway.queue.may_commit.clear()

    answer = await gateway.request("GET", "/v1/pixel/page?writeKey=k&userId=u")

    assert (answer.status, gateway.queue.stored) == (200, [])


async def test_the_script_is_short_lived_and_its_immutable_part_is_not(gateway: Gateway):
    loader = await gateway.request("GET", "/js/headwater.js")
    immutable = await gateway.request("GET", f"/js/{load_assets().immutable.file_name}")

    assert b'"writeKey":"k"' in loader.body
    assert b'"endpoint":"/js/headwater"' in loader.body
    assert b'"writeKey"' not in immutable.body
    assert "max-age=300" in loader.headers["cache-control"]
    assert "immutable" in immutable.headers["cache-control"]
    assert loader.headers["content-type"].startswith("text/javascript")


async def test_each_source_has_a_script_with_its_own_key(serve: Serve):
    gateway = await serve(server={"path_prefix": "/e"}, script={"path": "/x9", "name": "q"})

    assert b'"writeKey":"s"' in (await gateway.request("GET", "/e/x9/server/q.js")).body
    assert b'"endpoint":"/e/x9/q"' in (await gateway.request("GET", "/e/x9/web/q.js")).body
    assert (await gateway.request("GET", "/e/js/headwater.js")).status == 404


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None), ("", None)],
)
async def test_the_script_comes_as_the_browser_can_take_it(gateway: Gateway, accepted: str, encoding: str | None):
    plain = await gateway.request("GET", "/js/headwater.js")
    answer = await gateway.request("GET", "/js/headwater.js", Accept_Encoding=accepted)

    assert answer.headers.get("content-encoding") == encoding
    assert "Accept-Encoding" in answer.headers["vary"]
    decompress = {"gzip": gzip.decompress, "br": brotli.decompress}.get(encoding or "", bytes)
    assert decompress(answer.body) == plain.body


@pytest.mark.parametrize("accepted", ["br", "gzip", "identity"])
@pytest.mark.parametrize("condition", ["{etag}", "W/{etag}", 'W/"x", {etag}', '"x",W/{etag} , "y"', "*"])
async def test_what_the_browser_has_is_not_sent_again(gateway: Gateway, accepted: str, condition: str):
    first = await gateway.request("GET", "/js/headwater.js", Accept_Encoding=accepted)
    known = condition.format(etag=first.headers["etag"])
    again = await gateway.request("GET", "/js/headwater.js", Accept_Encoding=accepted, If_None_Match=known)

    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert again.headers["vary"] == first.headers["vary"]


async def test_each_coding_of_a_file_has_a_tag_of_its_own(gateway: Gateway):
    answers = [
        await gateway.request("GET", "/js/headwater.js", Accept_Encoding=coding)
        for coding in ("br", "gzip", "identity")
    ]
    tags = [answer.headers["etag"] for answer in answers]
    other = await gateway.request("GET", "/js/headwater.js", Accept_Encoding="gzip", If_None_Match=tags[0])
    part = await gateway.request("GET", "/js/headwater.js", If_None_Match=tags[2].strip('"'))

    assert len(set(tags)) == 3
    assert (other.status, other.body) == (200, answers[1].body)
    assert part.status == 200, "a tag without its quotes is no tag"


async def test_a_head_request_has_the_length_and_no_body(gateway: Gateway):
    peer = await gateway.connect()
    head = await peer.request("HEAD", "/js/headwater.js")
    full = await peer.request("GET", "/js/headwater.js")

    assert (head.status, head.headers["content-length"]) == (200, str(len(full.body)))


async def test_the_script_can_be_switched_off(serve: Serve):
    gateway = await serve(script={"enabled": False})

    assert (await gateway.request("GET", "/js/headwater.js")).status == 404


async def test_the_shop_is_there_only_when_it_is_switched_on(serve: Serve, gateway: Gateway):
    shop = await serve(demo={"enabled": True, "source": "web"}, server={"path_prefix": "/e"})

    assert (await gateway.request("GET", "/demo/")).status == 404
    assert (await shop.request("GET", "/e/demo/")).body.startswith(b"<!doctype html>")
    moved = await shop.request("GET", "/e/demo")
    assert (moved.status, moved.headers["location"]) == (308, "/e/demo/")
    assert b'"writeKey":"k"' in (await shop.request("GET", "/e/demo/headwater.js")).body
    assert (await shop.request("GET", "/e/demo/shop.css")).headers["content-type"].startswith("text/css")


async def test_crawlers_are_sent_away(gateway: Gateway):
    assert (await gateway.request("GET", "/robots.txt")).body == b"User-agent: *\nDisallow: /\n"
