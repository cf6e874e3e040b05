"""The script's address without the script: an image, for pages without JavaScript. It is always one."""

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.collect.answers import PIXEL
from gateway.model.errors import QueueFullError
from tests.integration.collect.support.gateway import Gateway, Serve
from tests.integration.collect.support.peer import Response, request_bytes
from tests.integration.collect.test_first_party import COOKIE, DAILY, FRESH, OLD, TODAY, cookie_of, sections

VIEWED = "https://shop.example/shoes?q=1"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def view(gateway: Gateway, path: str = "/js/headwater", cookie: str = "", **headers: str) -> Response:
    """What an image on a page of the site asks for. Browsers send no Origin with it."""
    cookies = {"Cookie": cookie} if cookie else {}
    answer = await gateway.request("GET", path, Referer=VIEWED, User_Agent="A/1", **cookies, **headers)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, "image/gif", PIXEL.body)
    assert answer.headers["cache-control"] == "no-store"
    return answer


def stored(gateway: Gateway) -> dict[str, Any]:
    """The one event."""
    (raw,) = gateway.queue.raws
    event: dict[str, Any] = json.loads(raw)
    return event


async def test_it_is_a_view_of_the_page_that_shows_it(gateway: Gateway):
    answer = await view(gateway)

    event = stored(gateway)
    page = {"url": VIEWED, "path": "/shoes", "search": "?q=1"}
    assert (event["type"], event["properties"], event["context"]["page"]) == ("page", page, page)
    assert event["context"]["library"] == {"name": "headwater pixel"}
    assert event["context"]["userAgent"] == "A/1"
    assert UUID.fullmatch(event["anonymousId"])
    assert cookie_of(answer) == f"hw={event['anonymousId']}.{TODAY}"


async def test_it_may_name_an_event_with_properties(gateway: Gateway):
    await view(gateway, "/js/headwater?event=Mail+Opened&p.plan=pro&p.n=1&other=x")

    event = stored(gateway)
    assert (event["type"], event["event"]) == ("track", "Mail Opened")
    assert event["properties"] == {"plan": "pro", "n": "1"}


async def test_properties_of_a_view_stand_beside_those_of_the_page(gateway: Gateway):
    await view(gateway, "/js/headwater?p.path=%2Fmail&p.title=Mail")

    assert stored(gateway)["properties"] == {"url": VIEWED, "path": "/mail", "search": "?q=1", "title": "Mail"}


@pytest.mark.parametrize(("cookie", "renewed"), [(FRESH, None), (OLD, f"hw={COOKIE}.{TODAY}")])
async def test_it_knows_the_visitor_by_the_cookie(gateway: Gateway, cookie: str, renewed: str | None):
    answer = await view(gateway, cookie=cookie)

    assert stored(gateway)["anonymousId"] == COOKIE
    assert cookie_of(answer) == renewed


async def test_each_source_has_its_own(serve: Serve):
    gateway = await serve(script={"path": "/x9", "name": "q"})
    for path in ("/x9/q", "/x9/web/q", "/x9/server/q"):
        await view(gateway, path)

    assert [envelope.source for envelope, _ in gateway.queue.stored] == ["web", "web", "server"]


async def test_where_nothing_is_kept_visitors_are_the_same_for_the_day(serve: Serve):
    gateway = await serve(**sections(mode="cookieless"))

    answers = [await view(gateway), await view(gateway, cookie=FRESH)]

    first, second = [json.loads(raw)["anonymousId"] for raw in gateway.queue.raws]
    assert DAILY.fullmatch(first)
    assert first == second
    assert [cookie_of(answer) for answer in answers] == [None, None]


@pytest.mark.parametrize(
    ("browser", "headers", "reason"),
    [({"mode": "consent"}, {}, "consent"), ({"dnt": True}, {"DNT": "1"}, "dnt")],
)
@pytest.mark.parametrize("cookie", ["", OLD])
async def test_who_may_not_be_recorded_sees_the_image_and_no_more(
    serve: Serve, browser: dict[str, Any], headers: dict[str, str], reason: str, cookie: str
):
    gateway = await serve(**sections(**browser))

    answer = await view(gateway, cookie=cookie, **headers)

    assert (cookie_of(answer), gateway.queue.raws) == (None, [])
    assert gateway.count("events_withheld", source="web", reason=reason) == 1


async def test_global_privacy_control_is_heard_though_images_have_no_origin(gateway: Gateway):
    await view(gateway, Sec_GPC="1")

    assert stored(gateway)["context"]["consent"] == {"categoryPreferences": {"marketing": False}}


@pytest.mark.parametrize("cause", ["origin", "rate", "full", "disk"])
async def test_it_is_an_image_also_when_nothing_is_stored(serve: Serve, cause: str):
    gateway = await serve(server={"rate_per_ip": {"per_second": 0.001, "burst": 1}} if cause == "rate" else {})
    if cause == "rate":
        await view(gateway)
    if cause == "full":
        gateway.queue.refusal = QueueFullError("The queue is full.", retry_after_s=30)
    if cause == "disk":
        gateway.queue.commit_error = QueueFullError("The disk is full.", retry_after_s=30)

    await view(gateway, **({"Origin": "https://evil.example"} if cause == "origin" else {}))

    assert len(gateway.queue.raws) == (1 if cause == "rate" else 0)
    assert len(gateway.queue.rejected) == (1 if cause == "origin" else 0)


async def test_the_image_waits_for_the_commit(serve: Serve):
    gateway = await serve(server={"ack_timeout": "300ms"})
    gateway.queue.may_commit.clear()

    await view(gateway)

    assert gateway.queue.raws == []


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("", {}),
        ("about:blank", {}),
        ("javascript:alert(1)", {}),
        ("https://[broken", {}),
        ("https://shop.example", {"url": "https://shop.example", "path": "", "search": ""}),
    ],
)
async def test_a_referer_that_is_no_page_is_none(gateway: Gateway, referer: str, page: dict[str, str]):
    await gateway.request("GET", "/js/headwater", Referer=referer)

    assert stored(gateway)["context"]["page"] == page


async def test_a_head_is_its_headers_and_a_preflight_is_no_view(gateway: Gateway):
    peer = await gateway.connect()
    head = await peer.request("HEAD", "/js/headwater")
    preflight = await peer.request("OPTIONS", "/js/headwater", Origin="https://shop.example", Cookie=OLD)
    wrong = await peer.request("DELETE", "/js/headwater")

    assert (head.status, head.headers["content-type"], head.body) == (200, "image/gif", b"")
    assert head.headers["content-length"] == str(len(PIXEL.body))
    assert (preflight.status, cookie_of(preflight)) == (204, None)
    assert preflight.headers["access-control-allow-credentials"] == "true"
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST, HEAD, OPTIONS")


TEXT = st.binary(max_size=40).map(lambda text: bytes(byte for byte in text if byte not in b"\r\n\0"))
QUERY = TEXT.map(lambda text: bytes(byte for byte in text if byte not in b" #"))
ONE_SERVER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)


@ONE_SERVER
@given(query=QUERY, cookie=TEXT, agent=TEXT, referer=TEXT | TEXT.map(lambda text: b"https://shop.example/" + text))
async def test_nothing_that_a_browser_says_is_a_fault_of_ours(
    gateway: Gateway, query: bytes, cookie: bytes, agent: bytes, referer: bytes
):
    said = {"Cookie": "C0", "User_Agent": "A0", "Referer": "R0"}
    request = request_bytes("GET", "/js/headwater?event=Q0", **said)
    for placeholder, value in ((b"Q0", b"E&p.x=" + query), (b"C0", cookie), (b"A0", agent), (b"R0", referer)):
        request = request.replace(placeholder, value, 1)
    before, peer = len(gateway.queue.raws), await gateway.connect()
    await peer.send(request)

    answer = await peer.answer()
    peer.close()

    if answer.headers["content-type"] == "image/gif":
        assert len(gateway.queue.raws) == before + 1
    else:
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "malformed_request")


async def test_bytes_that_are_no_text_cost_no_view(gateway: Gateway):
    peer = await gateway.connect()
    await peer.send(
        b"GET /js/headwater?event=caf%E9&p.%FF=%FE HTTP/1.1\r\nHost: gw.example\r\nUser-Agent: caf\xe9\r\n"
        b"Referer: https://shop.example/\xe9\r\nCookie: \xe9; hw=\xff\r\n\r\n"
    )

    answer = await peer.answer("GET")

    event = stored(gateway)
    assert answer.headers["content-type"] == "image/gif"
    assert (event["event"], event["properties"]) == ("caf\ufffd", {"\ufffd": "\ufffd"})
    assert (event["context"]["userAgent"], event["context"]["page"]["path"]) == ("caf\ufffd", "/\ufffd")
