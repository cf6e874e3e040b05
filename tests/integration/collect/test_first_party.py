"""The browser script's own address: who the visitor is, what the page is told of it, and what the browser keeps."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.collect.linker import sign_link, verify_link
from gateway.model.errors import QueueFullError, QueueUnavailableError
from tests.integration.collect.support.gateway import NOW_S, Gateway, Serve
from tests.integration.collect.support.peer import Response, request_bytes

SHOP = "https://shop.example"
PAGE, COOKIE, LINK = "id-of-page", "id-of-cookie", "id-of-link"
TODAY = NOW_S // 86_400
FRESH, OLD = f"hw={COOKIE}.{TODAY}", f"hw={COOKIE}.{TODAY - 31}"
SECRET = "a-long-random-secret"
LINKED = {"linker_hosts": ["b.example"], "linker_secret": SECRET}
DAILY = re.compile("[0-9a-f]{32}")


def sections(**browser: Any) -> dict[str, Any]:
    """A configuration whose only source has this browser section."""
    return {"sources": {"web": {"write_keys": ["k"], "allowed_origins": [SHOP], "browser": browser}}}


def event(number: int = 1, anonymous_id: str = PAGE, **fields: Any) -> dict[str, Any]:
    return {"type": "page", "messageId": f"m{number}", "anonymousId": anonymous_id, **fields}


def agreed(**categories: bool) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": categories}}


def script_body(batch: list[Any] | None = None, **frame: Any) -> bytes:
    """What the script sends: compact, the events first, what it says beside them behind."""
    fields = {"batch": [event()] if batch is None else batch, "writeKey": "k", "anonymousId": PAGE, **frame}
    return json.dumps(fields, separators=(",", ":")).encode()


async def post(gateway: Gateway, body: bytes | None = None, cookie: str = "", **headers: str) -> Response:
    cookies = {"Cookie": cookie} if cookie else {}
    said = {"Origin": SHOP, "Content_Type": "text/plain;charset=UTF-8"} | cookies | headers
    return await gateway.request("POST", "/js/headwater", script_body() if body is None else body, **said)


def stored_ids(gateway: Gateway) -> list[str]:
    return [json.loads(raw)["anonymousId"] for raw in gateway.queue.raws]


def cookie_of(answer: Response) -> str | None:
    """The cookie's name and value, as the browser will send it."""
    line = answer.headers.get("set-cookie")
    return line.partition(";")[0] if line else None


async def test_a_new_visitors_page_is_believed_and_its_id_goes_into_a_cookie(gateway: Gateway):
    answer = await post(gateway)

    assert (answer.status, json.loads(answer.body)) == (200, {"success": True})
    assert cookie_of(answer) == f"hw={PAGE}.{TODAY}"
    assert gateway.queue.raws == [json.dumps(event(), separators=(",", ":")).encode()]
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["cache-control"] == "no-store"
    assert gateway.count("requests", route="script_events", status="200") == 1


async def test_a_known_visitor_is_who_the_cookie_says_and_the_page_is_told(gateway: Gateway):
    batch = [event(1), event(2, "someone-before"), event(3, type="alias", userId="u", previousId=PAGE)]

    answer = await post(gateway, script_body(batch), FRESH)

    assert json.loads(answer.body) == {"success": True, "anonymousId": COOKIE}
    assert cookie_of(answer) is None, "what the browser has is not sent again"
    assert stored_ids(gateway) == [COOKIE, "someone-before", COOKIE]
    assert json.loads(gateway.queue.raws[2])["previousId"] == COOKIE


async def test_a_page_that_knows_what_the_cookie_says_is_told_nothing(gateway: Gateway):
    answer = await post(gateway, cookie=f"hw={PAGE}.{TODAY}")

    assert (json.loads(answer.body), cookie_of(answer)) == ({"success": True}, None)


@pytest.mark.parametrize(
    ("frame", "cookie", "told", "set_cookie", "stored"),
    [
        ({}, OLD, COOKIE, f"hw={COOKIE}.{TODAY}", COOKIE),
        ({}, f"hw={COOKIE}.{TODAY + 9}", COOKIE, f"hw={COOKIE}.{TODAY}", COOKIE),
        ({"identity": "rotate"}, FRESH, None, f"hw={PAGE}.{TODAY}", PAGE),
        ({"identity": "rotate"}, "", None, f"hw={PAGE}.{TODAY}", PAGE),
        ({"anonymousId": "ada@shop.example"}, FRESH, None, "hw=", "ada@shop.example"),
        ({"anonymousId": "ada@shop.example"}, "", None, None, "ada@shop.example"),
    ],
)
async def test_the_cookie_is_set_only_when_it_has_to_change(
    gateway: Gateway, frame: dict[str, str], cookie: str, told: str | None, set_cookie: str | None, stored: str
):
    batch = [event(anonymous_id=frame.get("anonymousId", PAGE))]

    answer = await post(gateway, script_body(batch, **frame), cookie)

    assert json.loads(answer.body).get("anonymousId") == told
    assert cookie_of(answer) == set_cookie
    assert stored_ids(gateway) == [stored]


async def test_a_withdrawal_takes_the_cookie_away(gateway: Gateway):
    answer = await post(gateway, script_body([], identity="erase"), FRESH)

    assert answer.headers["set-cookie"].startswith("hw=; Max-Age=0; Path=/; HttpOnly")
    assert (json.loads(answer.body), gateway.queue.raws) == ({"success": True}, [])


async def test_without_a_cookie_a_visitor_is_the_same_for_the_day_and_nothing_is_told(serve: Serve):
    gateway = await serve()
    for number, agent in enumerate(("A/1", "A/1", "B/2")):
        body = script_body([event(number, f"page-{number}")], anonymousId=f"page-{number}", identity="cookieless")
        answer = await post(gateway, body, FRESH, User_Agent=agent)
        assert (json.loads(answer.body), cookie_of(answer)) == ({"success": True}, None)

    first, again, other = stored_ids(gateway)
    assert DAILY.fullmatch(first)
    assert first == again != other


@pytest.mark.parametrize(
    ("server", "headers", "is_secure"),
    [
        ({"trusted_proxies": ["127.0.0.1"]}, {"X_Forwarded_Proto": "https", "Origin": "http://shop.example"}, True),
        ({"trusted_proxies": ["127.0.0.1"]}, {"X_Forwarded_Proto": "http", "Host": "www.shop.example"}, False),
        ({}, {"X_Forwarded_Proto": "https", "Origin": "http://shop.example"}, False),
        ({}, {"Origin": "https://shop.example"}, True),
        ({}, {"Origin": "http://shop.example"}, False),
    ],
)
async def test_it_is_secure_where_the_browser_speaks_https(
    serve: Serve, server: dict[str, Any], headers: dict[str, str], is_secure: bool
):
    configuration = sections(cookie_domain="shop.example")
    configuration["sources"]["web"]["allowed_origins"] = ["*"]
    gateway = await serve(server=server, script={"cookie": "q7"}, **configuration)

    answer = await post(gateway, **headers)

    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name == f"q7={PAGE}.{TODAY}"
    assert ("Secure" in attributes) == is_secure
    assert {"Domain=shop.example", "Path=/", "HttpOnly", "SameSite=Lax"} <= set(attributes)


async def test_a_link_is_signed_for_who_the_cookie_says_and_taken_in_by_the_other_site(serve: Serve):
    here, there = await serve(**sections(**LINKED)), await serve(**sections(**LINKED))

    asked = await post(here, script_body([], wants="link"), FRESH)
    token = json.loads(asked.body)["link"]
    arrived = await post(there, script_body(link=token), f"hw=someone-else.{TODAY}")

    assert json.loads(arrived.body) == {"success": True, "anonymousId": COOKIE}
    assert cookie_of(arrived) == f"hw={COOKIE}.{TODAY}"
    assert stored_ids(there) == [COOKIE]


@pytest.mark.parametrize(
    ("browser", "frame", "signs_for"),
    [
        (LINKED, {}, PAGE),
        (LINKED, {"anonymousId": "ada@shop.example"}, None),
        (LINKED, {"anonymousId": ""}, None),
        (LINKED, {"identity": "cookieless"}, None),
        (LINKED, {"identity": "erase"}, None),
        (LINKED, {"wants": "everything"}, None),
        ({}, {}, None),
    ],
)
async def test_only_someone_can_be_taken_along(
    serve: Serve, browser: dict[str, Any], frame: dict[str, str], signs_for: str | None
):
    gateway = await serve(**sections(**browser))

    answer = await post(gateway, script_body([], **{"wants": "link"} | frame))

    token = json.loads(answer.body).get("link", "")
    assert verify_link(token, NOW_S, SECRET) == signs_for
    assert bool(token) == bool(signs_for)


@pytest.mark.parametrize("link", ["", "x", sign_link(LINK, NOW_S, "other"), sign_link(LINK, 1, SECRET)])
async def test_a_link_that_does_not_hold_changes_nothing(serve: Serve, link: str):
    gateway = await serve(**sections(**LINKED))

    answer = await post(gateway, script_body(link=link), FRESH)

    assert json.loads(answer.body)["anonymousId"] == COOKIE


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (script_body(writeKey="nobody"), {}, 401),
        (script_body(writeKey=None), {}, 401),
        (b"{", {}, 400),
        (b'{"type":"page","writeKey":"k"}', {}, 400),
        (script_body(), {"Origin": "https://evil.example"}, 400),
        (script_body(), {"Content_Encoding": "br"}, 400),
    ],
)
@pytest.mark.parametrize("cookie", ["", OLD])
async def test_a_refusal_says_nothing_of_the_visitor(
    gateway: Gateway, body: bytes, headers: dict[str, str], status: int, cookie: str
):
    answer = await post(gateway, body, cookie, **headers)

    assert (answer.status, cookie_of(answer)) == (status, None)
    assert set(json.loads(answer.body)) == {"success", "code", "message"}
    assert ("access-control-allow-origin" in answer.headers) == ("Origin" not in headers)


@pytest.mark.parametrize("cause", ["full", "failing", "slow", "rate"])
async def test_nor_does_an_answer_that_asks_to_come_again(serve: Serve, cause: str):
    rate = {"per_second": 0.001, "burst": 1}
    server = {"ack_timeout": "300ms"} | ({"rate_per_ip": rate} if cause == "rate" else {})
    gateway = await serve(server=server)
    if cause == "full":
        gateway.queue.refusal = QueueFullError("The queue is full.", retry_after_s=30)
    if cause == "failing":
        gateway.queue.commit_error = QueueUnavailableError("The disk fails.", retry_after_s=7)
    if cause == "slow":
        gateway.queue.may_commit.clear()
    if cause == "rate":
        await post(gateway)

    answer = await post(gateway, cookie=OLD)

    assert answer.status == (429 if cause == "rate" else 503)
    assert (cookie_of(answer), b"anonymousId" in answer.body) == (None, False)


@pytest.mark.parametrize(
    ("browser", "context", "headers", "reason"),
    [
        ({"mode": "consent"}, {}, {}, "consent"),
        ({"mode": "consent"}, agreed(analytics=False), {}, "consent"),
        ({}, agreed(analytics=False), {}, "consent"),
        ({"dnt": True}, agreed(analytics=True), {"DNT": "1"}, "dnt"),
        ({"mode": "consent"}, agreed(analytics=True), {}, ""),
        ({}, {}, {"DNT": "1"}, ""),
    ],
)
async def test_who_may_not_be_recorded_gets_no_cookie_and_a_200(
    serve: Serve, browser: dict[str, Any], context: dict[str, Any], headers: dict[str, str], reason: str
):
    gateway = await serve(**sections(**browser))

    answer = await post(gateway, script_body([event(context=context)]), **headers)

    assert answer.status == 200
    assert (cookie_of(answer) is None, gateway.queue.raws == []) == (bool(reason), bool(reason))
    assert gateway.count("events_withheld", source="web", reason=reason) == bool(reason)


async def test_consent_is_asked_for_on_every_path_of_the_source(serve: Serve):
    gateway = await serve(**sections(mode="consent"))
    batch = [event(1, context=agreed(analytics=True)), event(2), event(3, context=agreed(analytics=False))]

    answer = await gateway.request("POST", "/v1/b", json.dumps({"writeKey": "k", "batch": batch}).encode())

    assert (answer.status, [json.loads(raw)["messageId"] for raw in gateway.queue.raws]) == (200, ["m1"])
    assert gateway.count("events_withheld", source="web", reason="consent") == 2


async def test_global_privacy_control_marks_what_is_stored(gateway: Gateway):
    batch = [event(context=agreed(marketing=True), price=10)]

    await post(gateway, script_body(batch).replace(b'"price":10', b'"price":1.10'), Sec_GPC="1")

    assert b'"price":1.10' in gateway.queue.raws[0]
    assert json.loads(gateway.queue.raws[0])["context"] == agreed(marketing=False)


async def test_the_page_is_told_who_it_is_where_some_events_are_refused(gateway: Gateway):
    answer = await post(gateway, script_body([event(1), 5]), FRESH)

    said = json.loads(answer.body)
    assert (answer.status, said["rejectedCount"], said["anonymousId"]) == (200, 1, COOKIE)
    assert stored_ids(gateway) == [COOKIE]


async def test_a_body_that_is_read_aside_is_the_same_visitors(gateway: Gateway):
    answer = await post(gateway, script_body([event(properties={"text": "x" * 400_000})]), FRESH)

    assert (answer.status, stored_ids(gateway)) == (200, [COOKIE])


async def test_each_place_and_each_sources_own_take_events(serve: Serve):
    gateway = await serve(server={"path_prefix": "/u7"}, script={"former": ["/old/name"]})

    for number, path in enumerate(("/js/headwater", "/js/web/headwater", "/old/name", "/old/server/name", "/js/x")):
        answer = await gateway.request("POST", f"/u7{path}", script_body([event(number)]), Origin=SHOP)
        assert answer.status == (404 if path == "/js/x" else 200)

    assert len(gateway.queue.raws) == 4
    assert (await gateway.request("GET", "/u7/old/name.js")).status == 200
    assert gateway.count("requests", route="script_former", status="200") == 1


HEADER = st.binary(max_size=60).map(lambda text: bytes(byte for byte in text if byte not in b"\r\n\0"))
COOKIES = HEADER | st.lists(HEADER | st.just(FRESH.encode()), max_size=4).map(b"; ".join)
WORDS = st.sampled_from(["rotate", "cookieless", "erase", "link", PAGE, COOKIE, "", "\x00", "\ud800", '"', "x" * 600])
VALUES = WORDS | st.text(max_size=20) | st.none() | st.integers() | st.booleans() | st.lists(st.integers(), max_size=2)
FRAMES = st.dictionaries(
    st.sampled_from(["anonymousId", "identity", "link", "wants", "sentAt", "batch", "writeKey"]), VALUES, max_size=5
)
PREFERENCES = st.dictionaries(st.sampled_from(["analytics", "marketing"]) | st.text(max_size=9), VALUES, max_size=3)
ONE_SERVER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)


@ONE_SERVER
@given(frame=FRAMES, cookie=COOKIES, agent=HEADER, preferences=PREFERENCES)
async def test_nothing_that_a_page_or_its_cookie_says_is_a_fault_of_ours(
    gateway: Gateway, frame: dict[str, Any], cookie: bytes, agent: bytes, preferences: dict[str, Any]
):
    batch = [event(len(gateway.queue.raws), context={"consent": {"categoryPreferences": preferences}})]
    body = script_body(**{"batch": batch} | frame)
    request = request_bytes("POST", "/js/headwater", body, Origin=SHOP, Sec_GPC="1", Cookie="C0", User_Agent="A0")
    peer = await gateway.connect()
    await peer.send(request.replace(b"C0", cookie, 1).replace(b"A0", agent, 1))

    answer = await peer.answer()
    peer.close()

    assert answer.status in {200, 400, 401}
    assert re.fullmatch(r"(hw=[\w-]*(\.\d+)?; [\w=;/ -]+)?", answer.headers.get("set-cookie", ""), re.ASCII)
    assert json.loads(answer.body)["success"] == (answer.status == 200)
