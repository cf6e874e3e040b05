"""Over a real socket, nothing that a client sends is answered with a 5xx, or keeps the next event from being taken."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.collect.support.gateway import Gateway
from tests.integration.collect.support.peer import request_bytes

GOOD = b'{"type":"page","messageId":"%d","userId":"u1"}'
PATHS = st.sampled_from(["/v1/track", "/v1/batch", "/v1/i", "/v1/alias", "/beacon/v1/batch", "/v1/nothing"])
ENCODINGS = st.sampled_from(
    [{}, {"Content_Encoding": "gzip"}, {"Content_Encoding": "deflate"}, {"Content_Encoding": "br"}]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["batch", "type", "userId", "context", "event"]) | st.text(), inner, max_size=4
        )
    ),
)
BODIES = st.binary(max_size=2_000) | JSON.map(lambda value: json.dumps(value).encode())
ONE_SERVER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)


@ONE_SERVER
@given(path=PATHS, body=BODIES, headers=ENCODINGS, query=st.text(st.characters(codec="ascii"), max_size=20))
async def test_any_body_on_any_path(gateway: Gateway, path: str, body: bytes, headers: dict[str, str], query: str):
    target = path + "?writeKey=k&" + "".join(letter for letter in query if letter.isalnum() or letter in "&=%+[]")

    answer = await gateway.request("POST", target, body, **headers)
    before = len(gateway.queue.stored)
    after = await gateway.request("POST", "/v1/p?writeKey=k", GOOD % before)

    assert answer.status in {200, 400, 401, 404}
    assert json.loads(answer.body)
    assert (after.status, len(gateway.queue.stored)) == (200, before + 1)


@ONE_SERVER
@given(junk=st.binary(max_size=300), then_good=st.booleans())
async def test_any_bytes_on_a_connection(gateway: Gateway, junk: bytes, then_good: bool):
    peer = await gateway.connect()
    await peer.send(junk + (request_bytes("GET", "/robots.txt") if then_good else b""))
    peer.writer.write_eof()
    said = await peer.reader.read()
    peer.close()

    statuses = {int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]}
    assert all(status < 500 for status in statuses)
    assert (await gateway.request("GET", "/robots.txt")).status == 200
