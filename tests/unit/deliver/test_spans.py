"""Runs of the log on their way into a warehouse."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.spans import Span, batch_of_one, selected, without_tombstones
from gateway.model.envelope import Batch, Envelope

SOURCES = ("web", "server", "app")
sizes = st.lists(st.integers(1, 7), min_size=1, max_size=6)


def batch_of(first_offset: int, count: int) -> Batch:
    raws = [b'{"n":%d}' % (first_offset + index) for index in range(count)]
    bounds = array("I", [0])
    for raw in raws:
        bounds.append(bounds[-1] + len(raw))
    envelopes = tuple(Envelope(source, 1) for source in SOURCES)
    return Batch(first_offset, b"".join(raws), bounds, envelopes, array("I", [index % 3 for index in range(count)]))


def span_of(counts: list[int]) -> Span:
    batches, offset = [], 100
    for count in counts:
        batches.append(batch_of(offset, count))
        offset += count
    return Span(batches)


def events(span: Span) -> list[tuple[int, bytes, Envelope]]:
    return [tuple(stored) for batch in span.batches for stored in batch]


@given(sizes.filter(lambda counts: sum(counts) > 1))
def test_halves_hold_the_same_events_in_order_about_as_many_each(counts: list[int]):
    span = span_of(counts)

    first, second = span.halves()

    assert events(first) + events(second) == events(span)
    assert abs(len(first) - len(second)) <= 1
    assert first.next_offset == second.first_offset


@given(st.integers(1, 30), st.sets(st.sampled_from(SOURCES)))
def test_a_filter_keeps_the_events_of_the_sources_it_takes(count: int, taken: set[str]):
    batch = batch_of(100, count)

    kept = selected(batch, taken.__contains__)

    assert list(kept) == [stored for stored in batch if stored.envelope.source in taken]


def test_what_is_left_of_what_was_left_keeps_its_offsets():
    batch = batch_of(100, 12)

    kept = selected(selected(batch, {"web", "app"}.__contains__), {"app"}.__contains__)

    assert [stored.offset for stored in kept] == [102, 105, 108, 111]
    assert (kept.first_offset, kept.next_offset) == (102, 112)
    assert [stored.offset for stored in kept.slice(1, 3)] == [105, 108]
    assert (kept.slice(1, 3).first_offset, kept.slice(1, 3).next_offset) == (105, 109)


def test_a_batch_that_is_taken_whole_is_not_copied():
    batch = batch_of(100, 5)

    assert selected(batch, lambda _source: True) is batch


def test_a_single_event_can_travel_as_a_batch():
    stored = next(iter(batch_of(7, 1)))

    assert list(batch_of_one(stored)) == [stored]


@given(st.lists(st.booleans(), min_size=1, max_size=9))
def test_tombstones_are_left_out_and_counted_and_a_run_without_any_stays_as_it_is(gone: list[bool]):
    whole = batch_of(100, len(gone))
    envelopes = [Envelope("" if is_gone else "web", 1) for is_gone in gone]
    batch = Batch(100, whole.blob, whole.bounds, envelopes, array("I", range(len(gone))))

    kept, forgotten = without_tombstones(batch)

    assert forgotten == sum(gone)
    assert list(kept.unpack()) == [each for each in batch if not each.envelope.is_tombstone]
    assert (kept is batch) is not any(gone)
