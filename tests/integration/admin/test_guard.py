"""A web page in the operator's browser can reach this listener too; it must get nothing and change nothing."""

import pytest
from aiohttp import ClientSession

from tests.integration.admin.conftest import Daemon

MARK = {"X-Headwater": "1"}
EVENT = b'{"type":"track","event":"Forged","userId":"u"}'


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}])
async def test_a_form_or_a_simple_request_changes_nothing(daemon: Daemon, http: ClientSession, headers: dict[str, str]):
    async with http.post("/api/send", data=EVENT, headers=headers) as response:
        assert response.status == 403
        assert await response.json() == {"error": "the header X-Headwater is missing", "hint": "send X-Headwater: 1"}

    assert daemon.queue.head_offset == 0


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9090", "null"])
async def test_whatever_has_an_origin_is_a_page(daemon: Daemon, http: ClientSession, origin: str):
    async with http.post("/api/send", data=EVENT, headers=MARK | {"Origin": origin}) as response:
        assert response.status == 403
    async with http.get("/api/status", headers={"Origin": origin}) as response:
        assert response.status == 403

    assert daemon.queue.head_offset == 0


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9090", "127.0.0.1.evil.example"])
async def test_a_name_that_was_rebound_to_this_address_is_turned_away(http: ClientSession, host: str):
    async with http.get("/api/status", headers={"Host": host}) as response:
        assert response.status == 403


async def test_no_preflight_is_granted(http: ClientSession):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Headers": "x-headwater"}

    async with http.options("/api/send", headers=asked) as response:
        assert response.status == 403
        assert not [name for name in response.headers if name.startswith("Access-Control")]


async def test_the_operators_own_curl_is_served(daemon: Daemon, http: ClientSession):
    async with http.post("/api/send", params={"source": "backend"}, data=EVENT, headers=MARK) as response:
        assert response.status == 200
        assert set(await response.json()) == {"message_id"}

    assert daemon.queue.head_offset == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("GET", "/api/nothing", b"", 404, "Not Found"),
        ("GET", "/api/replay", b"", 405, "Method Not Allowed"),
        ("GET", "/api/dead/12", b"", 404, "there is no letter 12"),
        ("GET", "/api/dead/x", b"", 400, '"id" is not a whole number'),
        ("GET", "/api/dead?limit=-1", b"", 400, '"limit" must be from 0 to 10000'),
        ("GET", "/api/dead?state=gone", b"", 400, '"gone" is not a state'),
        ("GET", "/api/rejects?since=soon", b"", 400, '"soon" is not a time'),
        ("POST", "/api/sql", b"select", 400, "the body is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("POST", "/api/sql", b"[]", 400, "the body must be a JSON object"),
        ("POST", "/api/sql", b"[" * 100_000, 400, "the body is not JSON"),
        ("POST", "/api/sql", b"{}", 400, '"sql" is missing, or is not a text'),
        ("POST", "/api/sql", b'{"sql":"select 1","destination":1}', 400, '"destination" is not a text'),
        ("POST", "/api/dead/retry", b'{"destination":"crm"}', 400, 'give "ids", a list of numbers, or "all": true'),
        ("POST", "/api/replay", b'{"destination":"crm","from":"1h ago","to":"2h ago"}', 400, "the replay ends before"),
        ("POST", "/api/resume", b'{"destination":"nobody"}', 400, 'no destination "nobody" runs'),
        ("POST", "/api/send?source=nobody", EVENT, 400, 'there is no source "nobody"'),
        ("POST", "/api/destinations/drop", b'{"destination":"nobody"}', 404, 'there is no destination "nobody"'),
    ],
)
async def test_what_cannot_be_done_is_said_in_json(
    http: ClientSession, method: str, path: str, body: bytes, status: int, error: str
):
    async with http.request(method, path, data=body, headers=MARK) as response:
        answer = await response.json()

    assert response.status == status
    assert answer["error"].startswith(error)
    assert set(answer) == {"error", "hint"}
