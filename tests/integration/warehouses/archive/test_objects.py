"""What lies in an archive, and what can be made of it again."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope
from gateway.model.errors import WarehouseError
from gateway.model.person import Identifier, Known, Tenure
from gateway.warehouses.archive import open_archive
from gateway.warehouses.archive.lines import decode
from gateway.warehouses.objects import Disk
from tests.integration.warehouses.support.objects import Objects, bucket, folder, plain
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, batch_of

HOUR_MS = 3_600_000
FULL = Envelope(
    "web",
    RECEIVED_AT_MS + 7,
    "2025-11-25T04:59:59Z",
    "203.0.113.9",
    'Mozilla "5.0" ü',
    (("_ga", "GA1.1.2.3"),),
    is_refused=True,
)
BARE = Envelope("server", RECEIVED_AT_MS)


def events(count: int, **fields: Any) -> list[Any]:
    return [{"type": "track", "messageId": f"m{n}", "event": "E", **fields} for n in range(count)]


async def test_each_source_and_hour_has_an_object_of_its_own(objects: Objects):
    later = FULL._replace(received_at_ms=RECEIVED_AT_MS + HOUR_MS)
    batches = [
        batch_of(events(3), FULL, 10),
        batch_of(events(2), BARE, 13),
        batch_of(events(1), later, 15),
        batch_of(events(1), FULL, 16),
    ]

    async with open_archive(objects.settings(), SystemClock()) as archive:
        assert await archive.next_offset("log") is None
        loaded = await archive.load(batches, "log", 17)
        assert await archive.next_offset("log") == 17

    assert (loaded.rows, loaded.duplicates) == (7, 0)
    offsets = "00000000000000000010-00000000000000000017-log"
    assert objects.paths() == [
        f"server/dt=2025-11-25/hr=05/{offsets}.json.gz",
        f"web/dt=2025-11-25/hr=05/{offsets}.json.gz",
        f"web/dt=2025-11-25/hr=06/{offsets}.json.gz",
    ]
    assert objects.offsets() == list(range(10, 17))


@pytest.mark.parametrize(("compression", "ending"), [("gzip", "json.gz"), ("zstd", "json.zst")])
async def test_a_day_can_be_a_partition_and_zstd_the_compression(compression: str, ending: str, objects: Objects):
    settings = objects.settings(partition="day", compression=compression)
    later = FULL._replace(received_at_ms=RECEIVED_AT_MS + HOUR_MS)

    async with open_archive(settings, SystemClock()) as archive:
        await archive.load([batch_of(events(1), FULL, 0), batch_of(events(1), later, 1)], "log", 2)

    assert objects.paths() == [f"web/dt=2025-11-25/{0:020d}-{2:020d}-log.{ending}"]
    assert objects.offsets() == [0, 1]


async def test_a_line_says_what_the_gateway_knew(tmp_path: Path):
    objects = folder(tmp_path)

    async with open_archive(objects.settings(), SystemClock()) as archive:
        await archive.load([batch_of(events(1), FULL, 4), batch_of(events(1), BARE, 5)], "log", 6)

    full, bare = objects.lines()
    known = ["sentAt", "ip", "userAgent", "cookies", "refused"]
    assert list(full) == ["offset", "source", "receivedAt", *known, "event"]
    assert full == {
        "offset": 4,
        "source": "web",
        "receivedAt": "2025-11-25T05:00:00.007Z",
        "sentAt": "2025-11-25T04:59:59Z",
        "ip": "203.0.113.9",
        "userAgent": 'Mozilla "5.0" ü',
        "cookies": {"_ga": "GA1.1.2.3"},
        "refused": True,
        "event": events(1)[0],
    }
    assert bare == {"offset": 5, "source": "server", "receivedAt": "2025-11-25T05:00:00.000Z", "event": events(1)[0]}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"messageId":"m", "type":"track" , "n":1e999,"big":123456789012345678901234567890}',
        '{"type":"track","messageId":"ü\\n\\u2028\u2028"}'.encode(),
    ],
)
@pytest.mark.parametrize("sent_at", [None, 0, 1.5, "x", 2**70, 1764046800000])
async def test_what_lay_in_the_queue_can_be_made_of_a_line(raw: bytes, sent_at: Any, tmp_path: Path):
    objects = folder(tmp_path)
    batch = batch_of([raw, raw], FULL._replace(sent_at=sent_at), 4)

    async with open_archive(objects.settings(), SystemClock()) as archive:
        await archive.load([batch], "log", 6)

    (path,) = objects.paths()
    assert [decode(line) for line in plain(path, (tmp_path / path).read_bytes()).split(b"\n")[:-1]] == list(batch)


async def test_an_event_over_several_lines_is_one_line_that_means_the_same(tmp_path: Path):
    objects = folder(tmp_path)
    raw = b'{\r\n  "type": "track",\n  "messageId": "a\\nb"\n}'

    async with open_archive(objects.settings(), SystemClock()) as archive:
        await archive.load([batch_of([raw], BARE, 0)], "log", 1)

    (line,) = objects.lines()
    assert line["event"] == json.loads(raw)


async def test_an_archive_in_a_bucket_that_is_not_there_says_so(s3: str):
    objects = bucket(s3, exists=False)

    async with open_archive(objects.settings(), SystemClock()) as archive:
        with pytest.raises(WarehouseError, match="NoSuchBucket"):
            await archive.next_offset("log")
        with pytest.raises(WarehouseError, match="NoSuchBucket"):
            await archive.load([batch_of(events(1), BARE, 0)], "log", 1)


async def test_an_archive_that_nobody_answers_for_says_so(s3: str):
    objects = bucket(s3)

    async with open_archive(objects.settings(endpoint="http://127.0.0.1:9"), SystemClock()) as archive:
        with pytest.raises(WarehouseError) as raised:
            await archive.next_offset("log")

    assert "s3cret" not in str(raised.value)


async def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WarehouseError, match="file"):
        async with open_archive(folder(tmp_path / "file/archive").settings(), SystemClock()):
            pass


async def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(tmp_path: Path):
    (tmp_path / "web").write_text("a file")

    assert list(Disk(tmp_path).list("missing")) == []
    with pytest.raises(WarehouseError, match="web"):
        list(Disk(tmp_path).list("web"))


async def test_a_state_that_cannot_be_read_stops_loads_and_says_where_it_is(tmp_path: Path):
    objects = folder(tmp_path)
    async with open_archive(objects.settings(), SystemClock()) as archive:
        await archive.load([batch_of(events(1), BARE, 0)], "log", 1)
        (tmp_path / "_headwater/log/cursor.json").write_text("{")

        with pytest.raises(WarehouseError, match=r"_headwater/log/cursor\.json"):
            await archive.next_offset("log")


async def test_questions_are_answered_in_words(tmp_path: Path):
    async with open_archive(folder(tmp_path).settings(), SystemClock()) as archive:
        for question in (
            archive.query("select 1", 1, 1),
            archive.describe_person("ada", 1),
            archive.export_person("p1"),
            archive.owners(["d1"]),
            archive.unmerge("a", "b"),
            archive.rebuild_identity(),
        ):
            with pytest.raises(WarehouseError, match="an archive keeps events and answers no questions"):
                await question
        assert await archive.find_person("ada") is None
        await archive.stage([])
        await archive.catch_up()


ADA = Known(
    "p1",
    frozenset(["ada"]),
    [Tenure("d1", Identifier("user_id", "ada"), None, RECEIVED_AT_MS * 1000)],
    [Identifier("email", "ada@shop.example")],
)


async def test_a_person_is_forgotten_line_by_line(objects: Objects):
    hers = [
        {"type": "track", "messageId": "m0", "userId": "ada"},
        {"type": "track", "messageId": "m1", "anonymousId": "d1", "timestamp": "2025-11-25T04:00:00Z"},
        {"type": "identify", "messageId": "m2", "anonymousId": "d9", "traits": {"email": "Ada@Shop.example"}},
    ]
    others = [
        {"type": "track", "messageId": "m3", "userId": "ben", "anonymousId": "d1"},
        {"type": "track", "messageId": "m4", "anonymousId": "d1", "timestamp": "2025-11-25T05:00:00Z"},
        {"type": "track", "messageId": "m5", "userId": "adam"},
    ]
    async with open_archive(objects.settings(), SystemClock()) as archive:
        await archive.load([batch_of([*hers, *others], BARE, 0)], "log", 6)
        await archive.load([batch_of(hers[:1], FULL, 6)], "log", 7)
        await archive.load([batch_of(others[:1], FULL, 7)], "log", 8)

        assert await archive.forget(ADA) == {"events": 4}
        assert await archive.forget(ADA) == {"events": 0}
        assert await archive.next_offset("log") == 8

    assert objects.offsets() == [3, 4, 5, 7]
    assert not [path for path in objects.paths() if "0006-0" in path]


async def test_an_object_that_cannot_be_read_keeps_the_order_open(tmp_path: Path):
    objects = folder(tmp_path)
    async with open_archive(objects.settings(), SystemClock()) as archive:
        await archive.load([batch_of(events(2, userId="ada"), BARE, 0)], "log", 2)
        (path,) = objects.paths()
        (tmp_path / path).write_bytes(b"no gzip")

        with pytest.raises(WarehouseError, match="cannot be read"):
            await archive.forget(ADA)


async def test_files_of_others_are_left_alone(tmp_path: Path):
    objects = folder(tmp_path)
    (tmp_path / "web/dt=2025-11-25").mkdir(parents=True)
    (tmp_path / "web/dt=2025-11-25/notes.json.gz").write_text("ada")

    async with open_archive(objects.settings(), SystemClock()) as archive:
        assert await archive.forget(ADA) == {"events": 0}

    assert (tmp_path / "web/dt=2025-11-25/notes.json.gz").read_text() == "ada"
