"""Events without a user leave as the one's whom a real warehouse knows on the device."""

import json
from pathlib import Path
from typing import Any

from gateway.queue import Queue
from gateway.warehouses.duckdb import DUCKDB, DuckDBSettings
from tests.integration.deliver.support.gateway import Eventually, MakeWebhook, Run, put
from tests.integration.deliver.support.peer import Events, Peer, say

LOAD_AT_ONCE = {"max_wait": 0.05}


def event(message_id: str, kind: str = "track", **fields: Any) -> bytes:
    return json.dumps({"messageId": message_id, "type": kind, "event": "E", **fields}).encode()


async def test_the_owner_of_the_device_is_told_and_the_warehouse_keeps_what_the_client_sent(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually, tmp_path: Path
):
    taken: dict[str, str] = {}

    async def take(events: Events) -> Any:
        taken.update({each["messageId"]: each.get("userId", "") for each in events})
        return await say(200)(events)

    peer.answer = take
    warehouse = DuckDBSettings(path=tmp_path / "warehouse.duckdb", batch=LOAD_AT_ONCE)  # type: ignore[arg-type]
    async with run({"hook": webhook(peer, stitch="dw"), "dw": warehouse}, [DUCKDB]) as gateway:
        await put(queue, "web", [event("i", "identify", anonymousId="laptop", userId="ann")])
        await eventually(lambda: gateway.status("dw").next_offset == 1 and gateway.status("hook").next_offset == 1)
        await put(queue, "web", [event("a", anonymousId="laptop"), event("b", anonymousId="phone"), event("c")])
        await eventually(lambda: gateway.status("dw").next_offset == 4 and gateway.status("hook").next_offset == 4)

        assert taken == {"i": "ann", "a": "ann", "b": "", "c": ""}
        assert gateway.sample("stitch_joined_total", destination="hook") == 1
        kept = await gateway.delivery.warehouse("dw").query("select id, user_id from tracks order by id", 9, 9)
        assert list(kept.rows) == [("a", None), ("b", None), ("c", None)]


async def test_a_warehouse_that_is_not_there_holds_nothing_up(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, stitch="gone")}) as gateway:
        await put(queue, "web", [event("a", anonymousId="laptop")])
        await eventually(lambda: gateway.status("hook").next_offset == 1)

        assert await gateway.ledger("hook") == {"delivered": 1}
        assert gateway.sample("stitch_unanswered_total", destination="hook") == 1
