"""What goes over the wire, what is kept back, and what is counted."""

import json

import pytest

from gateway import __version__
from gateway.destinations.console import ConsoleSettings
from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Eventually, MakeWebhook, Run, put
from tests.integration.deliver.support.peer import Peer, say, say_at_length


async def test_events_of_a_source_that_does_not_feed_the_destination_are_filtered(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, sources=("server",))}) as gateway:
        await gateway.send(3, source="web")
        ids = await gateway.send(2, source="server")
        await gateway.send(4, source="web")

        await eventually(lambda: gateway.status("hook").lag_events == 0)

        assert sorted(peer.taken) == sorted(ids)
        assert await gateway.ledger("hook") == {"delivered": 2, "filtered": 7}
        assert gateway.sample("destination_delivered_total", destination="hook") == 2
        assert gateway.sample("destination_filtered_total", destination="hook", rule="sources") == 7


async def test_events_too_old_or_too_large_are_dead_letters_with_their_reason(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    old = {"messageId": "old", "type": "track", "userId": "u", "timestamp": "2001-01-01T00:00:00Z"}
    large = {"messageId": "large", "type": "track", "userId": "u", "properties": {"text": "x" * 600_000}}
    fine = {"messageId": "fine", "type": "track", "userId": "u"}
    async with run({"hook": webhook(peer, max_age=86_400)}) as gateway:
        raws = [json.dumps(event).encode() for event in (old, large, fine)]
        await put(queue, "web", raws)

        await eventually(lambda: gateway.status("hook").lag_events == 0)

        assert peer.taken == ["fine"]
        assert await gateway.letters("hook") == [("old", "dead", "too_old"), ("large", "dead", "too_large")]


async def test_hostile_events_do_not_stop_the_ones_behind_them(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    raws = [
        b'{"messageId":"inf","type":"track","userId":"u","n":1e999,"big":123456789012345678901234567890}',
        b'{"messageId":"m\\r\\nX-Injected: 1","type":"track","userId":"u"}',
        b'{"messageId":"deep","type":"track","userId":"u","p":' + b"[" * 60 + b"]" * 60 + b"}",
        b'{"messageId":"context","type":"track","userId":"u","context":7}',
        b'{"messageId":"time","type":"track","userId":"u","timestamp":1e300}',
        b"{this is no JSON",
        b'{"messageId":"last","type":"track","userId":"u"}',
    ]
    async with run({"hook": webhook(peer)}) as gateway:
        await put(queue, "web", raws)

        await eventually(lambda: gateway.status("hook").lag_events == 0)

        assert peer.taken == ["inf", "m\r\nX-Injected: 1", "deep", "context", "time", "last"]
        assert await gateway.letters("hook") == [("", "dead", "unmappable")]


async def test_the_request_names_us_is_signed_and_carries_the_owners_headers(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, secret="whsec_c2VjcmV0", headers={"X-Team": "growth"})}) as gateway:
        await gateway.send(1)
        await eventually(lambda: peer.taken == ["m0"])

    headers = peer.headers[0]
    assert headers["User-Agent"] == f"Headwater/{__version__}"
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Team"] == "growth"
    assert headers["webhook-id"] == "m0"
    assert headers["webhook-signature"].startswith("v1,")


async def test_a_redirect_is_not_followed(
    run: Run, peer: Peer, neighbour: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(307, Location=neighbour.url)
    async with run({"hook": webhook(peer)}, drain_s=0.1) as gateway:
        await gateway.send(1)
        await eventually(lambda: gateway.status("hook").state == "paused")

    assert neighbour.requests == []


@pytest.mark.parametrize("status", [200, 400])
async def test_an_endless_answer_is_cut(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually, status: int
):
    peer.answer = say_at_length(status, 50_000_000)
    async with run({"hook": webhook(peer, timeout=10)}) as gateway:
        await gateway.send(2)
        await eventually(lambda: gateway.status("hook").lag_events == 0)

        assert await gateway.ledger("hook") == ({"delivered": 2} if status == 200 else {"dead": 2})


async def test_a_rate_limit_holds_back_what_is_above_it(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, requests_per_second=2)}) as gateway:
        await gateway.send(100, people=100)
        await eventually(lambda: len(peer.taken) >= 3)

        assert len(peer.taken) < 20


async def test_an_event_arrives_on_the_console_as_a_line(
    run: Run, capfdbinary: pytest.CaptureFixture[bytes], eventually: Eventually
):
    async with run({"log": ConsoleSettings()}) as gateway:
        await gateway.send(3)
        await eventually(lambda: gateway.status("log").lag_events == 0)

    lines = [line for line in capfdbinary.readouterr().out.splitlines() if line.startswith(b"{")]
    assert [json.loads(line)["messageId"] for line in lines] == ["m0", "m1", "m2"]


async def test_lag_and_health_are_on_the_metrics(run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually):
    peer.answer = say(503)
    async with run({"hook": webhook(peer)}, drain_s=0.1) as gateway:
        await gateway.send(30)
        await eventually(lambda: gateway.sample("destination_lag_events", destination="hook") == 30)
        await eventually(lambda: gateway.sample("destination_lag_seconds", destination="hook") > 0)
        assert gateway.sample("destination_requests_total", destination="hook", outcome="retry") >= 5
        assert gateway.sample("destination_send_seconds_count", destination="hook") >= 5
        assert gateway.sample("destination_breaker_state", destination="hook") >= 1
    assert gateway.sample("destination_lag_events", destination="hook") is None


async def test_a_hole_that_a_salvage_left_is_counted_and_passed(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    await put(queue, "web", [b'{"messageId":"m%d","type":"track"}' % n for n in range(3000)])
    read = queue.read
    queue.read = lambda offset, *limits: read(max(offset, 2500), *limits)
    async with run({"hook": webhook(peer, concurrency=32)}) as gateway:
        await eventually(lambda: gateway.status("hook").lag_events == 0)

        assert len(peer.taken) == 500
        assert await gateway.ledger("hook") == {"delivered": 500, "filtered": 2500}
        assert gateway.sample("destination_filtered_total", destination="hook", rule="unreadable") == 2500
