"""Runs of the log on their way into a warehouse."""

from array import array
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.progress import Filtered
from gateway.deliver.spans import Span, batch_of_one, selected, sorted_out
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


def of(*sources: str) -> Callable[[Envelope], bool]:
    return lambda envelope: envelope.source in sources


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

    kept = selected(batch, lambda envelope: envelope.source in taken)

    assert list(kept) == [stored for stored in batch if stored.envelope.source in taken]


def test_what_is_left_of_what_was_left_keeps_its_offsets():
    batch = batch_of(100, 12)

    kept = selected(selected(batch, of("web", "app")), of("app"))

    assert [stored.offset for stored in kept] == [102, 105, 108, 111]
    assert (kept.first_offset, kept.next_offset) == (102, 112)
    assert [stored.offset for stored in kept.slice(1, 3)] == [105, 108]
    assert (kept.slice(1, 3).first_offset, kept.slice(1, 3).next_offset) == (105, 109)


def test_a_batch_that_is_taken_whole_is_not_copied():
    batch = batch_of(100, 5)

    assert selected(batch, lambda _envelope: True) is batch


def test_a_single_event_can_travel_as_a_batch():
    stored = next(iter(batch_of(7, 1)))

    assert list(batch_of_one(stored)) == [stored]


@given(st.lists(st.sampled_from(["", "refused", "open"]), min_size=1, max_size=9))
def test_what_envelopes_keep_back_is_counted_by_the_rule_and_a_run_without_any_stays_as_it_is(kinds: list[str]):
    whole = batch_of(100, len(kinds))
    envelopes = [Envelope("web" if kind else "", 1, is_refused=kind == "refused") for kind in kinds]
    batch = Batch(100, whole.blob, whole.bounds, envelopes, array("I", range(len(kinds))))

    def keeps_back(envelope: Envelope) -> Filtered | None:
        if envelope.is_tombstone:
            return Filtered("forgotten")
        return Filtered("consent") if envelope.is_refused else None

    kept, filtered = sorted_out(batch, keeps_back)

    assert filtered.get("forgotten", 0) == kinds.count("")
    assert filtered.get("consent", 0) == kinds.count("refused")
    assert [each.raw for each in kept.unpack()] == [each.raw for each in batch if keeps_back(each.envelope) is None]
    assert (kept is batch) is (set(kinds) == {"open"})
