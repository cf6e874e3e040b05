"""Start, reload, drain, restart: what survives, and what is not disturbed."""

import asyncio
import time

import pytest
from aiohttp import web

from gateway.config import BatchSettings, RetrySettings
from gateway.deliver.probe import probe_tool
from gateway.destinations.webhook import WEBHOOK, WebhookSettings
from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope
from gateway.model.errors import HeadwaterError, QueueUnavailableError
from gateway.queue import Queue
from gateway.queue.records import Cursor, Progress
from tests.integration.deliver.support.gateway import Eventually, MakeWebhook, Run
from tests.integration.deliver.support.peer import Answer, Events, Peer, StartPeer, ok, say


def later(seconds: float) -> Answer:
    async def answer(_events: Events) -> web.Response:
        await asyncio.sleep(seconds)
        return web.Response()

    return answer


async def cursor_of(queue: Queue, name: str) -> Cursor:
    return next(cursor for cursor in await queue.cursors() if cursor.destination == name)


async def test_a_restart_resumes_the_backoff_where_it_stood(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(500)
    slow = webhook(peer, retry=RetrySettings(first_delay=0.01, max_delay=3600))
    async with run({"hook": slow}, drain_s=0.1) as gateway:
        await gateway.send(10)
        # Long enough a wait to outlast the restart, however busy the machine is.
        await eventually(lambda: (gateway.status("hook").next_attempt_at_ms or 0) > time.time() * 1000 + 3000)
    before = (await cursor_of(queue, "hook")).retry
    sent_before = len(peer.requests)
    peer.answer = ok

    async with run({"hook": slow}) as gateway:
        status = gateway.status("hook")
        assert status.state == "retrying"
        assert status.attempts == before.attempts
        assert status.failing_since_ms == before.failing_since_ms
        assert abs(status.next_attempt_at_ms - before.next_attempt_at_ms) < 1000
        assert status.last_error == "HTTP 500"

        await gateway.delivery.resume("hook")
        await eventually(lambda: gateway.status("hook").lag_events == 0)
        assert len(peer.taken) == 10
        assert len(peer.requests) == sent_before + 10
    assert (await cursor_of(queue, "hook")).retry is None


async def test_after_a_restart_the_oldest_event_is_as_old_as_before(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(401)
    async with run({"hook": webhook(peer)}) as gateway:
        an_hour_ago = Envelope("web", SystemClock().now_ms() - 3_600_000)
        await queue.submit(an_hour_ago, ["m0"], [b'{"messageId":"m0","type":"track","event":"E","userId":"u0"}'])
        await eventually(lambda: gateway.status("hook").state == "paused")

    async with run({"hook": webhook(peer)}) as gateway:
        await eventually(lambda: gateway.status("hook").lag_seconds >= 3600)
        assert gateway.status("hook").state == "paused"


async def test_a_paused_destination_is_still_paused_after_a_restart(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(401)
    async with run({"hook": webhook(peer)}) as gateway:
        await gateway.send(10)
        await eventually(lambda: gateway.status("hook").attempts == 2)

    async with run({"hook": webhook(peer)}) as gateway:
        assert gateway.status("hook").state == "paused"
        assert len(peer.requests) < 10


async def test_a_stop_lets_sends_in_flight_end_and_records_them(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = later(0.3)
    async with run({"hook": webhook(peer, concurrency=4)}) as gateway:
        await gateway.send(100, people=100)
        await eventually(lambda: len(peer.requests) == 4)

    assert len(peer.taken) == 4
    assert (await cursor_of(queue, "hook")).delivered == 4


async def test_a_stop_does_not_wait_for_a_peer_that_hangs_and_the_event_is_sent_again(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = later(3600)
    async with asyncio.timeout(10), run({"hook": webhook(peer, timeout=60)}, drain_s=0.1) as gateway:
        await gateway.send(1)
        await eventually(lambda: len(peer.requests) == 1)
    assert (await cursor_of(queue, "hook")).next_offset == 0

    peer.answer = ok
    async with run({"hook": webhook(peer)}):
        await eventually(lambda: peer.taken == ["m0"])


async def test_a_reload_starts_stops_and_replaces_and_leaves_the_unchanged_alone(
    run: Run, peer: Peer, peers: StartPeer, webhook: MakeWebhook, eventually: Eventually
):
    hanging, other = await peers(), await peers()
    hanging.answer = later(2)
    unchanged, removed = webhook(hanging, timeout=30), webhook(peer)
    async with run({"kept": unchanged, "changed": webhook(peer), "removed": removed}) as gateway:
        await gateway.send(1)
        await eventually(lambda: len(peer.taken) == 2 and len(hanging.requests) == 1)

        await gateway.delivery.apply({"kept": webhook(hanging, timeout=30), "changed": webhook(other), "new": removed})
        ids = await gateway.send(5)

        assert [status.name for status in gateway.delivery.status()] == ["changed", "kept", "new"]
        await eventually(lambda: sorted(other.taken) == sorted(ids))
        await eventually(lambda: hanging.taken[:1] == ["m0"])
        assert hanging.requests.count(["m0"]) == 1


async def test_a_disabled_destination_does_not_run_and_keeps_its_place(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer)}) as gateway:
        await gateway.send(1)
        await eventually(lambda: gateway.status("hook").lag_events == 0)
        await gateway.delivery.apply({"hook": webhook(peer, enabled=False)})
        await gateway.send(5)
        assert gateway.delivery.status() == []

        await gateway.delivery.apply({"hook": webhook(peer)})
        await eventually(lambda: len(peer.taken) == 6)


async def test_a_disk_that_refuses_for_a_while_loses_no_outcome(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    record, refusals = queue.record, [QueueUnavailableError("disk full")] * 2

    async def refuse_at_first(destination: str, progress: Progress) -> Cursor:
        if refusals:
            raise refusals.pop()
        return await record(destination, progress)

    queue.record = refuse_at_first
    async with run({"hook": webhook(peer)}) as gateway:
        await gateway.send(20)

        await eventually(lambda: gateway.status("hook").lag_events == 0)
        assert await gateway.ledger("hook") == {"delivered": 20}
        assert len(peer.taken) == 20


async def test_an_error_nobody_foresaw_stops_the_daemon(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("a fault in the gateway")

    async def deliver_one() -> None:
        async with run({"hook": webhook(peer)}) as gateway:
            queue.record = fail
            await gateway.send(1)
            await asyncio.sleep(10)

    with pytest.raises(ExceptionGroup) as raised:
        await deliver_one()

    assert raised.group_contains(ZeroDivisionError)


async def test_a_replay_delivers_a_stretch_of_the_past_again_and_then_is_over(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer)}) as gateway:
        ids = await gateway.send(10)
        await eventually(lambda: gateway.status("hook").lag_events == 0)
        until_ms = SystemClock().now_ms() + 1
        await asyncio.sleep(0.01)
        await gateway.send(1)

        cursor = await gateway.delivery.replay("hook", 0, until_ms)

        assert cursor.destination.startswith("hook#replay-")
        await eventually(lambda: only_cursor(queue, "hook"))
        assert [status.name for status in gateway.delivery.status()] == ["hook"]
        assert sorted(peer.taken) == sorted([*ids, *ids, "m10"])


async def only_cursor(queue: Queue, name: str) -> bool:
    return [cursor.destination for cursor in await queue.cursors()] == [name]


async def test_a_replay_goes_on_after_a_restart(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer)}) as gateway:
        await gateway.send(10)
        await eventually(lambda: gateway.status("hook").lag_events == 0)
    await queue.start_replay("hook", 4, 8)

    async with run({"hook": webhook(peer)}):
        await eventually(lambda: sorted(peer.taken[10:]) == ["m4", "m5", "m6", "m7"])


async def test_what_nobody_stored_or_runs_cannot_be_replayed_or_resumed(run: Run, peer: Peer, webhook: MakeWebhook):
    async with run({"hook": webhook(peer)}) as gateway:
        with pytest.raises(HeadwaterError, match="no event of that time"):
            await gateway.delivery.replay("hook", 0, 1)
        with pytest.raises(HeadwaterError, match='no destination "nowhere"'):
            await gateway.delivery.resume("nowhere")
        with pytest.raises(HeadwaterError, match='"hook" is not a warehouse'):
            gateway.delivery.warehouse("hook")


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(200, None), (405, None), (401, "credentials"), (404, "address"), (302, "address"), (503, "HTTP 503")],
)
async def test_a_check_says_in_words_what_is_wrong(peer: Peer, webhook: MakeWebhook, status: int, trouble: str | None):
    peer.answer = say(status, Location="/elsewhere")
    said = await probe_tool(WEBHOOK, webhook(peer))

    assert said is None if trouble is None else trouble in said
    assert peer.requests == []


async def test_a_check_of_an_address_that_nobody_listens_on():
    said = await probe_tool(WEBHOOK, WebhookSettings(url="http://127.0.0.1:1/in"))

    assert said == "cannot connect to 127.0.0.1:1: connection refused"


async def test_batches_are_as_large_as_the_settings_say(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    batched = webhook(peer, batched=True, concurrency=1, batch=BatchSettings(max_events=30, max_wait=0.2))
    async with run({"hook": batched}) as gateway:
        await gateway.send(100)

        await eventually(lambda: gateway.status("hook").lag_events == 0)
        assert [len(ids) for ids in peer.requests] == [30, 30, 30, 10]
