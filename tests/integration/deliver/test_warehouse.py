"""Into a warehouse: exactly once, whatever fails in between."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest

from gateway.deliver.probe import probe_warehouse
from gateway.govern import Belonging
from gateway.model.clock import SystemClock
from gateway.model.errors import QueueUnavailableError, WarehouseError
from gateway.model.person import Known
from gateway.queue import Queue, Subject
from gateway.queue.records import Cursor, Progress
from tests.integration.deliver.support.gateway import Eventually, Gateway, MakeWebhook, Run, put
from tests.integration.deliver.support.peer import Peer
from tests.integration.deliver.support.sqlite_warehouse import Store, failing, nothing


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "warehouse.db")


async def test_every_event_is_stored_once_in_batches(run: Run, store: Store, eventually: Eventually):
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        ids = await gateway.send(220)
        await eventually(lambda: gateway.status("dw").lag_events == 0 and gateway.status("dw").next_offset == 220)

        assert store.rows() == sorted(ids)
        assert store.faults.loads == [50, 50, 50, 50, 20]
        assert await gateway.ledger("dw") == {"delivered": 220}
        assert gateway.sample("warehouse_rows_total", destination="dw") == 220
        assert gateway.sample("warehouse_schema_warnings_total", destination="dw", reason="misfit") == 5
        assert (await gateway.delivery.warehouse(None).query("SELECT count(*) FROM events", 1, 1)).rows == [(220,)]


async def test_a_duplicate_id_counts_as_delivered_and_is_not_stored_again(
    run: Run, queue: Queue, store: Store, eventually: Eventually
):
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        await put(queue, "web", [b'{"messageId":"same","type":"track"}'] * 3)
        await eventually(lambda: gateway.status("dw").next_offset == 3)

        assert store.rows() == ["same"]
        assert await gateway.ledger("dw") == {"delivered": 3}
        assert gateway.sample("warehouse_duplicates_total", destination="dw") == 2


async def test_what_fails_ahead_of_a_load_does_not_fail_the_load(run: Run, store: Store, eventually: Eventually):
    store.faults.before_stage = failing(RuntimeError("a fault that nobody foresaw"))
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        ids = await gateway.send(120)
        await eventually(lambda: gateway.status("dw").next_offset == 120)

        assert store.rows() == sorted(ids)
        assert gateway.status("dw").attempts == 0


async def test_a_warehouse_that_is_down_loses_nothing_and_delays_nobody(
    run: Run,
    store: Store,
    neighbour: Peer,
    webhook: MakeWebhook,
    eventually: Eventually,
):
    store.faults.before_load = failing(WarehouseError("connection refused"))
    async with run({"dw": store.settings(), "hook": webhook(neighbour)}, [store.kind]) as gateway:
        ids = await gateway.send(100)
        await eventually(lambda: gateway.status("dw").attempts >= 3)
        await eventually(lambda: sorted(neighbour.taken) == sorted(ids))
        assert gateway.status("dw").state == "retrying"
        assert gateway.status("dw").last_error == "connection refused"

        store.faults.before_load = nothing

        await eventually(lambda: gateway.status("dw").next_offset == 100)
        assert store.rows() == sorted(ids)
        assert gateway.status("dw").state == "running"


async def test_a_warehouse_that_cannot_be_opened_is_tried_again(run: Run, store: Store, eventually: Eventually):
    store.faults.before_open = failing(WarehouseError("the file is locked", hint="close the other program"))
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        ids = await gateway.send(10)
        await eventually(lambda: gateway.status("dw").attempts >= 3)
        with pytest.raises(WarehouseError, match='"dw" is not open'):
            gateway.delivery.warehouse("dw")

        store.faults.before_open = nothing
        await eventually(lambda: gateway.status("dw").next_offset == 10)
        assert store.rows() == sorted(ids)


async def test_poison_rows_become_dead_letters_and_all_others_are_stored(
    run: Run, queue: Queue, store: Store, eventually: Eventually
):
    raws = [json.dumps({"messageId": f"m{n}", "type": "track", "poison": n in (3, 17, 40)}).encode() for n in range(50)]
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        await put(queue, "web", raws)
        await eventually(lambda: gateway.status("dw").next_offset == 50)

        assert store.rows() == sorted({f"m{n}" for n in range(50)} - {"m3", "m17", "m40"})
        assert await gateway.ledger("dw") == {"delivered": 47, "dead": 3}
        assert await gateway.letters("dw") == [(f"m{n}", "dead", "rejected") for n in (3, 17, 40)]


async def test_a_crash_between_the_commit_and_its_record_loads_nothing_twice(
    run: Run, queue: Queue, store: Store, eventually: Eventually
):
    store.faults.after_commit = failing(asyncio.CancelledError())
    await put(queue, "web", [b'{"messageId":"m%d","type":"track"}' % n for n in range(30)])
    await put(queue, "server", [b'{"messageId":"s","type":"track"}'])
    filtered = store.settings(sources=("web",))
    async with run({"dw": filtered}, [store.kind], drain_s=0.1):
        await eventually(lambda: store.faults.loads == [30])
    assert (await queue.cursors())[0].next_offset == 0

    store.faults.after_commit = nothing
    async with run({"dw": filtered}, [store.kind]) as gateway:
        await eventually(lambda: gateway.status("dw").next_offset == 31)
        assert await gateway.ledger("dw") == {"delivered": 30, "filtered": 1}
        assert store.faults.loads == [30]


async def test_a_warehouse_that_was_deleted_is_loaded_again_from_what_the_queue_keeps(
    run: Run,
    queue: Queue,
    store: Store,
    eventually: Eventually,
):
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        ids = await gateway.send(60)
        await eventually(lambda: gateway.status("dw").next_offset == 60)
    (store.path).unlink()

    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        await eventually(lambda: caught_up(gateway, 60))
        assert store.rows() == sorted(ids)
        assert await gateway.ledger("dw") == {"delivered": 60}


async def test_a_warehouse_restored_from_a_backup_gets_what_it_misses(
    run: Run,
    queue: Queue,
    store: Store,
    eventually: Eventually,
):
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        ids = await gateway.send(60)
        await eventually(lambda: caught_up(gateway, 60))
    with sqlite3.connect(store.path) as database:
        database.execute("UPDATE cursors SET next_offset = 30")
        database.execute("DELETE FROM events WHERE rowid > 30")

    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        await eventually(lambda: store.rows() == sorted(ids))
        await eventually(lambda: caught_up(gateway, 60))
        assert await gateway.ledger("dw") == {"delivered": 30}


async def test_a_source_that_does_not_feed_it_is_filtered_and_a_restart_repeats_nothing(
    run: Run, queue: Queue, store: Store, eventually: Eventually
):
    filtered = store.settings(sources=("server",))
    async with run({"dw": filtered}, [store.kind]) as gateway:
        await gateway.send(10, source="web")
        ids = await gateway.send(10, source="server")
        await gateway.send(60, source="web")
        await eventually(lambda: gateway.status("dw").next_offset == 80)
        assert store.rows() == sorted(ids)

    async with run({"dw": filtered}, [store.kind]) as gateway:
        await gateway.send(1, source="server")
        await eventually(lambda: gateway.status("dw").next_offset == 81)
        assert await gateway.ledger("dw") == {"delivered": 11, "filtered": 70}


async def test_a_fault_in_a_warehouses_driver_is_its_own_trouble(run: Run, store: Store, eventually: Eventually):
    store.faults.before_load = failing(ZeroDivisionError("a fault in the driver"))
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        await gateway.send(5)
        await eventually(lambda: gateway.status("dw").attempts >= 2)
        assert "a fault in the driver" in gateway.status("dw").last_error

        store.faults.before_load = nothing
        await eventually(lambda: gateway.status("dw").next_offset == 5)


async def test_a_queue_on_a_full_disk_is_waited_for_and_nothing_is_loaded_twice(
    run: Run, queue: Queue, store: Store, eventually: Eventually
):
    record, refusals = queue.record, [QueueUnavailableError("disk full")] * 2

    async def refuse_to_record(destination: str, progress: Progress) -> Cursor:
        if refusals:
            raise refusals.pop()
        return await record(destination, progress)

    queue.record = refuse_to_record
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        ids = await gateway.send(10)
        await eventually(lambda: gateway.status("dw").next_offset == 10)

    assert store.rows() == sorted(ids)
    assert store.faults.loads == [10]


async def test_a_stop_lets_the_load_under_way_end(run: Run, queue: Queue, store: Store, eventually: Eventually):
    loading = asyncio.Event()

    async def slow() -> None:
        loading.set()
        await asyncio.sleep(0.2)

    store.faults.before_load = slow
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        ids = await gateway.send(50)
        await loading.wait()

    assert store.rows() == sorted(ids)
    assert (await queue.cursors())[0].delivered == 50


async def test_a_dead_letter_that_its_owner_brings_back_is_loaded_beside_the_log(
    run: Run, queue: Queue, store: Store, eventually: Eventually
):
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        await put(
            queue, "web", [b'{"messageId":"bad","type":"track","poison":true}', b'{"messageId":"m","type":"track"}']
        )
        await eventually(lambda: gateway.status("dw").next_offset == 2)
        assert await gateway.ledger("dw") == {"delivered": 1, "dead": 1}
        await queue.retry_letters("dw", None, 0)
        await eventually(lambda: buried_again(queue))

    assert store.rows() == ["m"]


def caught_up(gateway: Gateway, next_offset: int) -> bool:
    status = gateway.status("dw")
    return status.state == "running" and status.next_offset == next_offset


async def buried_again(queue: Queue) -> bool:
    return [letter.state for letter in await queue.letters("dw", None, 0, 10)] == ["dead"]


async def test_a_replay_has_a_cursor_of_its_own_in_the_warehouse(
    run: Run, queue: Queue, store: Store, eventually: Eventually
):
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        ids = await gateway.send(20)
        await eventually(lambda: gateway.status("dw").next_offset == 20)
        gateway.delivery.warehouse("dw").database.execute("DELETE FROM events")

        await gateway.delivery.replay("dw", 0, SystemClock().now_ms() + 1)

        await eventually(lambda: store.rows() == sorted(ids))
        await eventually(lambda: [status.name for status in gateway.delivery.status()] == ["dw"])
        assert await gateway.ledger("dw") == {"delivered": 20}


async def test_a_check_opens_a_warehouse_that_has_no_way_of_its_own(store: Store):
    assert await probe_warehouse(store.kind, store.settings(), SystemClock()) is None

    store.faults.before_open = failing(WarehouseError("the file is locked", hint="close the other program"))

    trouble = await probe_warehouse(store.kind, store.settings(), SystemClock())
    assert trouble == "the file is locked (close the other program)"


@pytest.mark.parametrize("sources", [(), ("web",)])
async def test_tombstones_are_passed_over_and_counted_as_forgotten(
    run: Run, queue: Queue, store: Store, eventually: Eventually, sources: tuple[str, ...]
):
    """Among them is a row that no table can hold: halves are counted right as well."""
    store.faults.before_open = failing(WarehouseError("not yet"))
    async with run({"dw": store.settings(sources=sources)}, [store.kind]) as gateway:
        await gateway.send(70)
        await put(queue, "web", [b'{"messageId":"bad","type":"track","userId":"u3","poison":true}'])
        await put(queue, "server", [b'{"messageId":"s","type":"track","userId":"u3"}'])
        await gateway.send(20)
        await forget(queue, "u5")
        store.faults.before_open = nothing
        await eventually(lambda: gateway.status("dw").next_offset == 92)

        kept = sorted(f"m{number}" for number in range(90) if number % 7 != 5)
        assert store.rows() == sorted([*kept, *(() if sources else ("s",))])
        by_source = 1 if sources else 0
        assert await gateway.ledger("dw") == {"delivered": len(store.rows()), "filtered": 13 + by_source, "dead": 1}
        assert gateway.sample("destination_filtered_total", destination="dw", rule="forgotten") == 13
        assert (gateway.sample("destination_filtered_total", destination="dw", rule="sources") or 0) == by_source


async def test_a_restart_of_all_workers_takes_nothing_from_anybody(
    run: Run, queue: Queue, store: Store, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    destinations = {"dw": store.settings(), "hook": webhook(peer)}
    async with run(destinations, [store.kind]) as gateway:
        ids = await gateway.send(30)
        await eventually(lambda: all(each.next_offset == 30 for each in gateway.delivery.status()))
        await gateway.delivery.replay("hook", 0, SystemClock().now_ms() + 60_000)
        running: list[str] = []

        async def look() -> None:
            running.extend(each.name for each in gateway.delivery.status())

        await gateway.delivery.restart(look)

        assert running == [], "none runs meanwhile"
        ids += await gateway.send(30)
        await eventually(lambda: [each.next_offset for each in gateway.delivery.status()] == [60, 60])
        assert store.rows() == sorted(ids)
        assert await gateway.ledger("dw") == await gateway.ledger("hook") == {"delivered": 60}


async def forget(queue: Queue, user_id: str) -> None:
    """As far as the log goes."""
    person, eraser = Known("p", frozenset([user_id]), []), queue.eraser
    job = await eraser.suppress(await eraser.open(user_id, 1), Subject(user_id, person))
    job = await eraser.begin(job, await eraser.fence())
    while job.step == "chunks":
        job = await eraser.erase_chunks(job, Belonging(person))
