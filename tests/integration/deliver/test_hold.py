"""Events without a user wait for one and leave as that user's, at a real receiver."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from gateway.config import RetrySettings
from gateway.deliver.tool_worker import HOLD_LIMITS
from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope
from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Eventually, MakeWebhook, Run, put
from tests.integration.deliver.support.peer import Events, Peer, say

HOUR_S = 3600


def event(message_id: str, anonymous_id: str = "", user_id: str = "", kind: str = "track", **more: Any) -> bytes:
    ids = {"anonymousId": anonymous_id, "userId": user_id}
    given = {name: value for name, value in ids.items() if value}
    return json.dumps({"messageId": message_id, "type": kind, "event": "E", **given, **more}).encode()


async def put_at(queue: Queue, received_at_ms: int, raws: Sequence[bytes]) -> None:
    await queue.submit(Envelope("web", received_at_ms), [uuid.uuid4().hex for _ in raws], raws)


@dataclass
class Taken:
    """What the peer took: (message id, user)."""

    status: int = 200
    events: list[tuple[str, str]] = field(default_factory=list)

    async def answer(self, events: Events) -> web.Response:
        self.events += [user_of(event) for event in events]
        return web.Response(status=self.status)


def user_of(event: Mapping[str, Any]) -> tuple[str, str]:
    return event["messageId"], event.get("userId", "")


@pytest.fixture
def taken(peer: Peer) -> Taken:
    taken = Taken()
    peer.answer = taken.answer
    return taken


async def test_held_events_leave_as_the_users_in_order_before_the_event_that_named_them(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S)}) as gateway:
        await put(queue, "web", [event("a", "laptop", kind="page"), event("b", "laptop"), event("c", "phone")])
        await put(queue, "web", [event("d", "laptop", userId=None), event("e", "laptop", "ann", "identify")])
        await put(queue, "web", [event("f", "laptop"), event("g", "laptop", "ann")])

        await eventually(lambda: len(taken.events) == 6)
        assert taken.events == [(message_id, "ann") for message_id in "abdefg"]
        assert gateway.sample("hold_joined_total", destination="hook") == 4
        assert gateway.status("hook").lag_events == 5


async def test_a_known_user_is_not_delayed_by_those_who_wait(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S)}):
        await put(queue, "web", [event("a", "laptop"), event("b", "phone", "bob"), event("c", user_id="cy")])

        await eventually(lambda: sorted(taken.events) == [("b", "bob"), ("c", "cy")])


async def test_what_nobody_joins_leaves_when_its_time_is_over(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=0.5)}) as gateway:
        await put(queue, "web", [event("a", "laptop"), event("b", "phone", "bob"), event("c", "laptop")])

        await eventually(lambda: gateway.status("hook").lag_events == 0)
        assert taken.events == [("b", "bob"), ("a", ""), ("c", "")]
        assert await gateway.ledger("hook") == {"delivered": 3}
        assert gateway.sample("hold_joined_total", destination="hook") == 0


async def test_junk_and_a_backlog_do_not_wait(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S)}) as gateway:
        await put_at(queue, SystemClock().now_ms() - HOUR_S * 1000, [event("old", "laptop")])
        await put(queue, "web", [event("junk", "undefined"), event("null", "phone", "null")])

        await eventually(lambda: gateway.status("hook").lag_events == 0)
        assert sorted(taken.events) == [("junk", ""), ("null", "null"), ("old", "")]


async def test_in_a_full_window_the_oldest_leave_early_and_are_counted(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S, concurrency=8)}) as gateway:
        for thousand in range(HOLD_LIMITS.max_events // 1000):
            await put(queue, "web", [event(f"{thousand}-{n}", f"device-{thousand}-{n}") for n in range(1000)])
        await put(queue, "web", [event(f"last-{n}", f"last-{n}") for n in range(7)])

        await eventually(lambda: len(taken.events) == 7)
        assert sorted(taken.events) == [(f"0-{n}", "") for n in range(7)]
        assert gateway.sample("hold_released_early_total", destination="hook") == 7
        await put(queue, "web", [event("who", "device-0-7", "ann")])
        await eventually(lambda: taken.events[-2:] == [("0-7", "ann"), ("who", "ann")])


async def test_a_restart_and_a_reload_lose_nobody_who_waits(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S)}):
        await put(queue, "web", [event("a", "laptop"), event("b", "", "bob")])
        await eventually(lambda: taken.events == [("b", "bob")])
    async with run({"hook": webhook(peer, hold=HOUR_S)}) as gateway:
        await put(queue, "web", [event("c", "laptop")])
        await gateway.delivery.apply({"hook": webhook(peer, hold=2 * HOUR_S)})
        await put(queue, "web", [event("d", "laptop", "ann")])

        await eventually(lambda: gateway.status("hook").lag_events == 0)
        # What was sent before the cursor could pass the held one is sent again, with the same id.
        assert [sent for sent in taken.events if sent[1] == "ann"] == [("a", "ann"), ("c", "ann"), ("d", "ann")]
        assert set(taken.events) == {("a", "ann"), ("b", "bob"), ("c", "ann"), ("d", "ann")}
        assert await gateway.ledger("hook") == {"delivered": 4}


async def test_a_reload_without_a_hold_lets_those_who_wait_go(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S)}) as gateway:
        await put(queue, "web", [event("a", "laptop")])
        await gateway.delivery.apply({"hook": webhook(peer)})

        await eventually(lambda: taken.events == [("a", "")])


async def test_a_joined_event_that_was_refused_keeps_its_user_when_it_is_tried_again(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    taken.status = 400
    async with run({"hook": webhook(peer, hold=HOUR_S), "other": webhook(peer, url=f"{peer.url}?other")}) as gateway:
        await put(queue, "web", [event("a", "laptop"), event("b", "laptop", "ann")])
        await eventually(lambda: gateway.status("hook").lag_events == 0)
        letters = await queue.letters("hook", "dead", 0, 10)
        assert [user_of(json.loads(letter.event)) for letter in letters] == [("a", "ann"), ("b", "ann")]

        taken.status, taken.events = 200, []
        await queue.retry_letters("hook", None, SystemClock().now_ms())
        await eventually(lambda: sorted(taken.events) == [("a", "ann"), ("b", "ann")])
        # What one destination was given is not shown to another.
        await queue.retry_letters("other", None, SystemClock().now_ms())
        await eventually(lambda: sorted(taken.events[2:]) == [("a", ""), ("b", "ann")])


async def test_an_outage_delays_and_does_not_undo_what_was_joined(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    peer.answer = say(503)
    retry = RetrySettings(first_delay=0.01, max_delay=0.02)
    async with run({"hook": webhook(peer, hold=HOUR_S, retry=retry)}) as gateway:
        await put(queue, "web", [event("a", "laptop"), event("b", "laptop", "ann"), event("c", "", "bob")])
        await eventually(lambda: gateway.status("hook").state == "retrying")
        await put(queue, "web", [event("d", "phone"), event("e", "phone", "cy")])
        peer.answer = taken.answer

        await eventually(lambda: gateway.status("hook").lag_events == 0)
        assert sorted(taken.events) == [("a", "ann"), ("b", "ann"), ("c", "bob"), ("d", "cy"), ("e", "cy")]
        assert [sent for sent in taken.events if sent[1] == "ann"] == [("a", "ann"), ("b", "ann")]


async def test_a_replay_holds_nothing(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S)}) as gateway:
        await put(queue, "web", [event("a", "laptop"), event("b", "phone")])

        await gateway.delivery.replay("hook", 0, SystemClock().now_ms() + 1)

        await eventually(lambda: sorted(taken.events) == [("a", ""), ("b", "")])
        await eventually(lambda: [status.name for status in gateway.delivery.status()] == ["hook"])


async def test_too_old_an_event_is_a_dead_letter_and_still_says_who_the_device_belongs_to(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S, max_age=2 * HOUR_S)}) as gateway:
        await put(queue, "web", [event("a", "laptop")])
        await put(queue, "web", [event("b", "laptop", "ann", timestamp="2020-01-01T00:00:00Z")])

        await eventually(lambda: gateway.status("hook").next_offset == 2)
        assert taken.events == [("a", "ann")]
        assert await gateway.letters("hook") == [("b", "dead", "too_old")]


async def test_a_source_that_does_not_feed_the_destination_joins_nothing_there(
    run: Run, queue: Queue, peer: Peer, taken: Taken, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, hold=HOUR_S, sources=("web",))}) as gateway:
        await put(queue, "web", [event("a", "laptop")])
        await put(queue, "server", [event("b", "laptop", "ann")])
        await put(queue, "web", [event("c", "laptop", "bob")])

        await eventually(lambda: gateway.status("hook").lag_events == 0)
        assert taken.events == [("a", "bob"), ("c", "bob")]
