"""Whatever a destination does, nothing is lost, and its neighbour has everything meanwhile."""

import asyncio

import pytest

from gateway.config import BatchSettings, RetrySettings
from tests.integration.deliver.support.gateway import Eventually, Gateway, MakeWebhook, Run
from tests.integration.deliver.support.peer import Answer, Peer, choke_on, hang, ok, reset, say

FAILURES = {
    "hang": hang,
    "reset": reset,
    "500": say(500),
    "503 with an hour to wait": say(503, Retry_After="3600"),
    "401": say(401),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES.keys())
async def test_a_neighbour_has_everything_while_the_first_still_fails(
    run: Run, peer: Peer, neighbour: Peer, webhook: MakeWebhook, eventually: Eventually, answer: Answer
):
    peer.answer = answer
    async with run({"first": webhook(peer, timeout=0.2), "second": webhook(neighbour)}, drain_s=0.1) as gateway:
        ids = await gateway.send(500)

        await eventually(lambda: sorted(neighbour.taken) == sorted(ids))
        await eventually(lambda: gateway.status("first").state != "running")

        assert peer.taken == []
        assert await gateway.ledger("first") == {}
        assert gateway.status("first").lag_events == 500


@pytest.mark.parametrize("answer", [hang, reset, say(500)], ids=["hang", "reset", "500"])
async def test_what_failed_for_a_while_arrives_whole_and_in_each_persons_order(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually, answer: Answer
):
    peer.answer = answer
    async with run({"first": webhook(peer, timeout=0.2)}) as gateway:
        ids = await gateway.send(200, people=5)
        await eventually(lambda: gateway.status("first").state == "retrying")

        peer.answer = ok

        await eventually(lambda: gateway.status("first").lag_events == 0)
        for person in range(5):
            own = [message_id for message_id in ids if int(message_id[1:]) % 5 == person]
            assert [message_id for message_id in peer.taken if message_id in own] == own
        assert await gateway.ledger("first") == {"delivered": 200}
        assert gateway.status("first").state == "running"


async def test_a_429_with_retry_after_silences_the_whole_destination_for_that_long(
    run: Run, peer: Peer, neighbour: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(429, Retry_After="1")
    async with run({"first": webhook(peer, concurrency=1), "second": webhook(neighbour)}) as gateway:
        ids = await gateway.send(100)
        await eventually(lambda: gateway.status("first").state == "retrying")
        await eventually(lambda: sorted(neighbour.taken) == sorted(ids))
        assert len(peer.requests) == 1

        peer.answer = ok
        await eventually(lambda: sorted(peer.taken) == sorted(ids))


async def test_one_poison_event_of_a_batch_of_a_hundred_is_the_only_dead_letter(
    run: Run, peer: Peer, neighbour: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = choke_on("m61", 400, "m61 is not to our taste")
    batched = webhook(peer, batched=True, concurrency=1, batch=BatchSettings(max_events=100))
    async with run({"first": batched, "second": webhook(neighbour)}) as gateway:
        ids = await gateway.send(100, people=100)

        await eventually(lambda: gateway.status("first").lag_events == 0)

        assert len(peer.requests[0]) == 100
        assert sorted(peer.taken) == sorted(set(ids) - {"m61"})
        assert await gateway.letters("first") == [("m61", "dead", "rejected")]
        assert await gateway.ledger("first") == {"delivered": 99, "dead": 1}
        assert "not to our taste" in (await gateway.queue.letters("first", "dead", 0, 1))[0].error
        await eventually(lambda: sorted(neighbour.taken) == sorted(ids))


async def test_refused_credentials_pause_the_destination_until_its_owner_resumes_it(
    run: Run, peer: Peer, neighbour: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(401)
    async with run({"first": webhook(peer, concurrency=1), "second": webhook(neighbour)}) as gateway:
        ids = await gateway.send(100)
        await eventually(lambda: gateway.status("first").attempts == 2)

        assert gateway.status("first").state == "paused"
        assert gateway.sample("destination_paused", destination="first") == 1
        assert len(peer.requests) == 2
        await eventually(lambda: sorted(neighbour.taken) == sorted(ids))
        assert await gateway.letters("first") == []

        peer.answer = ok
        await gateway.delivery.resume("first")

        await eventually(lambda: sorted(peer.taken) == sorted(ids))
        assert gateway.status("first").state == "running"
        assert gateway.sample("destination_paused", destination="first") == 0


async def test_an_event_that_a_firewall_answers_with_403_does_not_pause_the_others(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = choke_on("m3", 403)
    async with run({"first": webhook(peer)}) as gateway:
        ids = await gateway.send(300)

        await eventually(lambda: gateway.status("first").lag_events == 0)

        assert sorted(peer.taken) == sorted(set(ids) - {"m3"})
        assert await gateway.letters("first") == [("m3", "dead", "rejected")]


async def test_an_event_that_always_fails_is_set_aside_and_its_persons_later_events_go_on(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = choke_on("m3", 500)
    patient = RetrySettings(first_delay=0.02, max_delay=0.05, order_wait=0.2)
    async with run({"first": webhook(peer, retry=patient)}) as gateway:
        ids = await gateway.send(40)
        while not await gateway.letters("first"):
            ids += await gateway.send(1)
            await asyncio.sleep(0.02)

        await eventually(lambda: gateway.status("first").lag_events == 0)
        assert sorted(peer.taken) == sorted(set(ids) - {"m3"})
        assert await gateway.ledger("first") == {"delivered": len(ids) - 1, "retrying": 1}
        assert await gateway.letters("first") == [("m3", "retry", "retrying")]

        peer.answer = ok
        await eventually(lambda: "m3" in peer.taken)
        await eventually(lambda: delivered(gateway, "first", len(ids)))
        assert await gateway.letters("first") == []


async def test_one_event_that_always_fails_does_not_hold_up_a_window_full_of_others(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = choke_on("m3", 500)
    async with run({"first": webhook(peer, concurrency=8)}) as gateway:
        await gateway.send(2500, people=2500)

        await eventually(lambda: len(peer.taken) == 2499)


async def test_what_fails_longer_than_the_horizon_becomes_a_dead_letter(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(500)
    impatient = RetrySettings(first_delay=0.01, max_delay=0.02, horizon=0.3)
    async with run({"first": webhook(peer, retry=impatient)}) as gateway:
        await gateway.send(5)

        await eventually(lambda: gateway.status("first").lag_events == 0)

        assert await gateway.ledger("first") == {"dead": 5}
        assert {reason for _, _, reason in await gateway.letters("first")} == {"horizon"}


async def test_a_dead_letter_that_its_owner_brings_back_is_sent(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(400)
    async with run({"first": webhook(peer)}) as gateway:
        await gateway.send(3)
        await eventually(lambda: gateway.status("first").lag_events == 0)
        assert await gateway.ledger("first") == {"dead": 3}

        peer.answer = ok
        await gateway.queue.retry_letters("first", None, 0)

        await eventually(lambda: sorted(peer.taken) == ["m0", "m1", "m2"])
        await eventually(lambda: delivered(gateway, "first", 3))


async def delivered(gateway: Gateway, name: str, count: int) -> bool:
    return await gateway.ledger(name) == {"delivered": count}


async def test_an_event_set_aside_that_never_succeeds_is_dead_after_the_horizon(
    run: Run, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = choke_on("m3", 500)
    impatient = RetrySettings(first_delay=0.02, max_delay=0.05, order_wait=0.1, horizon=0.5)
    async with run({"first": webhook(peer, retry=impatient)}) as gateway:
        ids = await gateway.send(40)
        while not await gateway.letters("first"):
            ids += await gateway.send(1)
            await asyncio.sleep(0.02)

        await eventually(lambda: dead_of_old_age(gateway, "m3"))
        await eventually(lambda: gateway.status("first").lag_events == 0)
        assert await gateway.ledger("first") == {"delivered": len(ids) - 1, "dead": 1}
        assert gateway.sample("destination_dead_total", destination="first", reason="horizon") == 1


async def dead_of_old_age(gateway: Gateway, message_id: str) -> bool:
    return await gateway.letters("first") == [(message_id, "dead", "horizon")]
