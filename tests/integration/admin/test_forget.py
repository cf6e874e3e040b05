"""`headwater forget` and `headwater export-person` against a running daemon."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from gateway.model.errors import WarehouseError
from gateway.model.person import Known
from gateway.queue.records import Rejected
from gateway.warehouses.duckdb.warehouse import DuckDBWarehouse
from tests.integration.admin.conftest import Daemon, Headwater

EMAIL, USER, DEVICE = "ada.4711@shop.example", "user-4711-ada", "device-4711-ada"
ADA = [
    {"type": "page", "messageId": "a1", "anonymousId": DEVICE},
    {"type": "identify", "messageId": "a2", "userId": USER, "anonymousId": DEVICE, "traits": {"email": EMAIL}},
    {"type": "track", "messageId": "a3", "userId": USER, "event": "Paid"},
]
BEN = [
    {"type": "page", "messageId": "b1", "anonymousId": "device-ben"},
    {"type": "track", "messageId": "b2", "userId": "ben", "event": "Paid"},
]


async def send(headwater: Headwater, *events: dict[str, Any]) -> None:
    for event in events:
        assert (await headwater("send", stdin=json.dumps(event))).exit_code == 0


async def order(http: ClientSession, identifier: str) -> None:
    async with http.post("/api/forget", json={"id": identifier}, headers={"X-Headwater": "1"}) as answer:
        assert answer.status == 200


async def until_done(daemon: Daemon) -> None:
    while [job for job in await daemon.queue.eraser.jobs() if job.step != "done"]:
        await asyncio.sleep(0.01)


def files_of(daemon: Daemon) -> bytes:
    directory: Path = daemon.settings.queue.path
    return b"\0".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


async def test_a_person_is_shown_counted_and_forgotten(daemon: Daemon, headwater: Headwater):
    await send(headwater, *ADA, *BEN)
    daemon.queue.note_rejected(
        Rejected(daemon.control.clock.now_ms(), "web", "invalid", "", "", b'{"userId":"user-4711-ada"')
    )
    await daemon.until_settled("warehouse")
    await daemon.until_settled("crm")

    held = json.loads((await headwater("export-person", EMAIL)).output)
    assert [each["event"]["messageId"] for each in held["queue"]] == ["a1", "a2", "a3"]
    assert len(held["rejects"]) == 1
    assert {row["id"] for row in held["warehouses"]["warehouse"]["rows"]["identifies"]} == {"a2"}

    counted = json.loads((await headwater("forget", EMAIL, "--dry-run", "--json")).stdout)
    assert counted["is_known"]
    assert counted["removed"]["events"] == 3
    assert counted["removed"]["warehouses"]["warehouse"]["identifies"] == 1
    assert await daemon.queue.eraser.jobs() == []

    said = await headwater("forget", EMAIL, stdin="y\n")
    assert said.exit_code == 0, said.output
    assert "Remove all that is held" in said.output
    rows = [line.split() for line in said.stdout.splitlines()]
    assert ["queue", "events", "3"] in rows
    assert ["queue", "refused", "events", "1"] in rows
    assert ["warehouse", "identifies", "1"] in rows

    for identifier in (EMAIL, USER, DEVICE):
        left = json.loads((await headwater("export-person", identifier)).output)
        assert (left["queue"], left["letters"], left["rejects"], left["warehouses"]) == ([], [], [], {})
    kept = json.loads((await headwater("export-person", "ben")).output)
    assert [each["event"]["messageId"] for each in kept["queue"]] == ["b2"]
    assert (await headwater("ledger")).exit_code == 0
    assert "order to forget" not in (await headwater("status")).output


async def test_without_a_yes_nothing_happens(daemon: Daemon, headwater: Headwater):
    said = await headwater("forget", EMAIL, stdin="n\n")

    assert said.exit_code == 1
    assert await daemon.queue.eraser.jobs() == []


async def test_what_is_not_loaded_yet_tells_of_the_person_too(
    daemon: Daemon, headwater: Headwater, http: ClientSession
):
    """No warehouse knows the e-mail address when the order comes, nor whose the device was."""
    await send(headwater, *ADA)

    await order(http, EMAIL)
    await until_done(daemon)

    (job,) = await daemon.queue.eraser.jobs()
    assert job.report.events == 3
    assert daemon.queue.suppression.holds([USER], None)
    assert daemon.queue.suppression.holds([], DEVICE)
    refused = await headwater("send", stdin=json.dumps(ADA[2] | {"messageId": "a4"}))
    assert (refused.exit_code, "asked to be forgotten" in refused.output) == (1, True)


async def test_what_a_destination_holds_in_memory_is_not_sent_any_more(
    daemon: Daemon, headwater: Headwater, http: ClientSession
):
    daemon.receiver.status = 503
    await send(headwater, *ADA, *BEN)
    await daemon.until(lambda: any(each.attempts for each in daemon.delivery.status() if each.name == "crm"))

    await order(http, EMAIL)
    await until_done(daemon)
    daemon.receiver.status = 200
    await daemon.delivery.resume("crm")
    await daemon.until_settled("crm")

    assert {event["messageId"] for event in daemon.receiver.received} == {"b1", "b2"}
    cursors = {cursor.destination: cursor for cursor in await daemon.queue.cursors()}
    assert (cursors["crm"].delivered, cursors["crm"].filtered, cursors["crm"].dead) == (2, 3, 0)
    sample = daemon.metrics.registry.get_sample_value
    assert sample("headwater_destination_filtered_total", {"destination": "crm", "rule": "forgotten"}) == 3
    assert EMAIL.encode() not in files_of(daemon)


@pytest.mark.parametrize("question", ["forget", "find_person"])
async def test_a_warehouse_that_does_not_answer_keeps_the_order_open_and_visible(
    daemon: Daemon, headwater: Headwater, http: ClientSession, monkeypatch: pytest.MonkeyPatch, question: str
):
    await send(headwater, *ADA)
    await daemon.until_settled("warehouse")

    async def fail(_warehouse: DuckDBWarehouse, _about: Known | str) -> None:
        raise WarehouseError("the line is dead")

    with monkeypatch.context() as outage:
        outage.setattr(DuckDBWarehouse, question, fail)
        await order(http, EMAIL)
        await daemon.until(lambda: daemon.control.forgetting.waiting)
        shown = (await headwater("status")).output
        assert "the line is dead" in shown
        assert EMAIL not in shown
        assert daemon.metrics.registry.get_sample_value("headwater_forget_orders") == 1
        await order(http, EMAIL)
        assert len(await daemon.queue.eraser.jobs()) == 1

    await until_done(daemon)
    (job,) = await daemon.queue.eraser.jobs()
    assert job.report.warehouses["warehouse"]["identifies"] == 1
    assert EMAIL.encode() not in files_of(daemon)


async def test_another_order_goes_on_while_one_waits(
    daemon: Daemon, headwater: Headwater, http: ClientSession, monkeypatch: pytest.MonkeyPatch
):
    await send(headwater, *ADA, *BEN)
    await daemon.until_settled("warehouse")
    real = DuckDBWarehouse.forget

    async def fail_for_ada(warehouse: DuckDBWarehouse, known: Known) -> dict[str, int]:
        if USER in known.user_ids:
            raise WarehouseError("the line is dead")
        return await real(warehouse, known)

    monkeypatch.setattr(DuckDBWarehouse, "forget", fail_for_ada)
    await order(http, EMAIL)
    await order(http, "ben")

    async def steps() -> list[str]:
        return [job.step for job in await daemon.queue.eraser.jobs()]

    while await steps() != ["warehouses", "done"]:
        await asyncio.sleep(0.01)


async def test_a_tombstone_is_traced_as_what_it_is(daemon: Daemon, headwater: Headwater, http: ClientSession):
    await send(headwater, *ADA)
    await order(http, USER)
    await until_done(daemon)

    found = (await headwater("trace", "a3")).output

    assert "asked to be forgotten" in found
    assert USER not in found


@pytest.mark.parametrize("fields", [{"id": "null"}, {"id": ""}, {}, {"id": "\ud800"}, {"id": USER, "dry_run": "yes"}])
async def test_an_order_that_is_not_plain_is_refused(daemon: Daemon, http: ClientSession, fields: dict[str, Any]):
    body = json.dumps(fields)
    async with http.post("/api/forget", data=body, headers={"X-Headwater": "1"}) as answer:
        assert answer.status == 400
    assert await daemon.queue.eraser.jobs() == []


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/forget?order=7", 404), ("/api/forget?order=x", 400), ("/api/person/export?id=null", 400)],
)
async def test_what_is_not_there_is_refused_in_words(http: ClientSession, path: str, status: int):
    async with http.get(path) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]


ARCHIVE = """
[destinations.archive]
type = "archive"
url = "{directory}/archive"
batch = {{ max_events = 2, max_wait = "50ms" }}
"""


async def test_an_archive_is_searched_line_by_line(
    daemon: Daemon, headwater: Headwater, http: ClientSession, tmp_path: Path
):
    daemon.path.write_text(daemon.path.read_text() + ARCHIVE.format(directory=tmp_path))
    await daemon.control.reload()
    await send(headwater, *ADA, *BEN)
    await daemon.until_settled("archive")
    await daemon.until_settled("warehouse")
    assert sorted(archived(tmp_path)) == ["a1", "a2", "a3", "b1", "b2"]

    await order(http, EMAIL)
    await until_done(daemon)

    (job,) = await daemon.queue.eraser.jobs()
    assert job.report.warehouses["archive"] == {"events": 3}
    assert sorted(archived(tmp_path)) == ["b1", "b2"]


async def test_an_archive_that_is_slow_to_load_does_not_keep_an_order_waiting(
    daemon: Daemon, headwater: Headwater, http: ClientSession, tmp_path: Path
):
    slow = ARCHIVE.replace("max_events = 2", "max_events = 1000").replace("50ms", "1h")
    daemon.path.write_text(daemon.path.read_text() + slow.format(directory=tmp_path))
    await daemon.control.reload()
    await send(headwater, *ADA, *BEN)
    await daemon.until_settled("warehouse")

    await order(http, EMAIL)
    await until_done(daemon)

    (job,) = await daemon.queue.eraser.jobs()
    assert job.report.warehouses["archive"] == {"events": 0}
    assert archived(tmp_path) == []


def archived(directory: Path) -> list[str]:
    """Message ids of all lines in the archive."""
    lines = [
        line
        for path in directory.rglob("archive/**/*.json.gz")
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    return [json.loads(line)["event"]["messageId"] for line in lines]
