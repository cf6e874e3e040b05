"""What the operator sends himself obeys the rules of the source all the same."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from gateway.collect.by_hand import ByHand
from gateway.model.clock import SystemClock
from gateway.model.errors import HeadwaterError
from tests.integration.collect.support.gateway import make_settings
from tests.integration.collect.support.memory_queue import MemoryQueue

EVENT = {"type": "track", "event": "Paid", "messageId": "m1", "userId": "u1", "properties": {"card": "4111"}}


async def send(queue: MemoryQueue, event: dict[str, Any], **source: Any) -> str:
    settings = make_settings(sources={"web": {"write_keys": ["k"], **source}})
    hand = ByHand(lambda: settings, queue, SystemClock(), random.Random(1))  # type: ignore[arg-type]  # as much of the queue as intake uses
    return await hand.send("web", json.dumps(event).encode())


async def test_privacy_rules_hold():
    queue = MemoryQueue()

    assert await send(queue, EVENT, privacy={"remove": ["properties.card"]}) == "m1"

    assert [json.loads(raw)["properties"] for raw in queue.raws] == [{}]


async def test_the_tracking_plan_may_keep_it_out(tmp_path: Path):
    queue, plan = MemoryQueue(), tmp_path / "plan.json"
    plan.write_text('{"events": {"Paid": {"required": ["total"]}}}')

    with pytest.raises(HeadwaterError, match='"total" is a required property'):
        await send(queue, EVENT, tracking_plan={"path": str(plan), "violations": "block"})

    assert queue.stored == []


@pytest.mark.parametrize("analytics", [True, False])
async def test_what_a_visitor_refused_is_the_owners_alone(analytics: bool):
    queue = MemoryQueue()
    context = {"consent": {"categoryPreferences": {"analytics": analytics}}}

    await send(queue, EVENT | {"context": context})

    assert [envelope.is_refused for envelope, _ in queue.stored] == [not analytics]
