"""Reading an archive day by day."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model.envelope import Envelope
from gateway.warehouses.archive import Limits, Past, Piece, Position, Stretch, open_past, past
from tests.integration.warehouses.support.objects import Objects, folder
from tests.integration.warehouses.support.past import DAY_MS, HOUR_MS, keep, keep_days, tracks
from tests.integration.warehouses.support.store import RECEIVED_AT_MS

ALL = Stretch(0, 2**42)
WIDE = Limits(1000, 2**20)


def opened(objects: Objects, stretch: Stretch = ALL) -> Past:
    return open_past(objects.settings(), stretch)


def offsets(pieces: Iterator[Piece]) -> list[int]:
    return [stored.offset for piece in pieces for stored in piece.events]


async def test_days_follow_each_other_and_sources_within_a_day(objects: Objects):
    await keep_days(objects.settings(), 3, 2)
    await keep_days(objects.settings(), 2, 1, "server", 100)

    found = opened(objects)

    assert found.sources == ["server", "web"]
    assert {day: list(sources) for day, sources in found.days.items()} == {
        "2025-11-25": ["server", "web"],
        "2025-11-26": ["server", "web"],
        "2025-11-27": ["web"],
    }
    assert offsets(found.pieces(Position(), WIDE)) == [100, 0, 1, 101, 2, 3, 4, 5]


async def test_an_empty_archive_has_nothing(objects: Objects):
    assert (opened(objects).sources, opened(objects).days) == ([], {})


@pytest.mark.parametrize("limits", [Limits(1, 2**20), Limits(3, 2**20), Limits(1000, 250), WIDE])
async def test_whoever_stopped_after_a_piece_goes_on_where_it_ended(tmp_path: Path, limits: Limits):
    objects = folder(tmp_path)
    await keep_days(objects.settings(), 3, 4)
    await keep_days(objects.settings(), 3, 4, "server", 100)
    everything = offsets(opened(objects).pieces(Position(), WIDE))
    pieces = list(opened(objects).pieces(Position(), limits))

    for done in range(1, len(pieces)):
        rest = opened(objects).pieces(pieces[done - 1].end, limits)
        assert offsets(iter(pieces[:done])) + offsets(rest) == everything
    assert sum(piece.objects for piece in pieces) == 6
    assert all(len(piece.events) <= limits.max_events for piece in pieces)


async def test_many_empty_objects_are_told_of_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(past, "MOST_OBJECTS", 2)
    objects = folder(tmp_path)
    for minute in range(5):
        at_ms = RECEIVED_AT_MS + minute * 60_000
        await keep(objects.settings(), tracks(minute, 1), Envelope("web", at_ms), minute)
    late = Stretch(RECEIVED_AT_MS + 4 * 60_000, RECEIVED_AT_MS + HOUR_MS)

    pieces = list(opened(objects, late).pieces(Position(), WIDE))

    assert [(len(piece.events), piece.objects) for piece in pieces] == [(0, 2), (0, 2), (1, 1)]


@pytest.mark.parametrize("partition", ["hour", "day"])
async def test_a_stretch_is_exact_to_the_millisecond_and_opens_no_object_in_vain(tmp_path: Path, partition: str):
    objects = folder(tmp_path)
    times = [
        RECEIVED_AT_MS - 1,
        RECEIVED_AT_MS,
        RECEIVED_AT_MS + HOUR_MS - 1,
        RECEIVED_AT_MS + HOUR_MS,
        RECEIVED_AT_MS + DAY_MS,
    ]
    for number, at_ms in enumerate(times):
        await keep(objects.settings(partition=partition), tracks(number, 1), Envelope("web", at_ms), number)

    pieces = list(opened(objects, Stretch(RECEIVED_AT_MS, RECEIVED_AT_MS + HOUR_MS)).pieces(Position(), WIDE))

    assert offsets(iter(pieces)) == [1, 2]
    assert sum(piece.objects for piece in pieces) == {"hour": 2, "day": 4}[partition]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
async def test_an_object_that_is_cut_off_is_noted_and_read_as_far_as_it_goes(tmp_path: Path, compression: str):
    objects = folder(tmp_path)
    await keep_days(objects.settings(compression=compression), 2, 500)
    first, _ = objects.paths()
    whole = (tmp_path / first).read_bytes()
    (tmp_path / first).write_bytes(whole[: len(whole) // 2])

    found = opened(objects)
    read = offsets(found.pieces(Position(), WIDE))

    assert list(found.unreadable) == [first]
    assert read[-500:] == list(range(500, 1000))
    assert read[:-500] == list(range(len(read) - 500))


async def test_files_of_others_and_objects_that_went_meanwhile_are_passed_over(tmp_path: Path):
    objects = folder(tmp_path)
    await keep_days(objects.settings(), 3, 1)
    (tmp_path / "web/dt=2025-11-25/notes.json.gz").write_text("mine")
    (tmp_path / "notes").mkdir()
    found = opened(objects)
    pieces = found.pieces(Position(), Limits(1, 2**20))
    next(pieces)
    (tmp_path / objects.paths()[-2]).unlink()

    assert offsets(pieces) == [2]
    assert found.unreadable == {}
