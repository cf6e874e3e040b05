"""Batches: columns that slice like the list of events they stand for."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from gateway.model.envelope import Batch, Envelope

WEB = Envelope("web", 1)
SERVER = Envelope("server", 2)


def batch_of(raws: list[bytes], first_offset: int = 100) -> Batch:
    bounds = array("I", [0])
    for raw in raws:
        bounds.append(bounds[-1] + len(raw))
    owners = array("I", [index % 2 for index in range(len(raws))])
    return Batch(first_offset, b"".join(raws), bounds, (WEB, SERVER), owners)


def test_an_event_is_found_by_its_index_with_the_envelope_of_its_request():
    batch = batch_of([b'{"a":1}', b'{"b":22}'])

    assert batch.raw(1) == b'{"b":22}'
    assert batch.envelope(1) == SERVER
    assert [stored.offset for stored in batch] == [100, 101]
    assert batch.next_offset == 102


@given(st.lists(st.binary(max_size=20), max_size=30), st.data())
def test_a_slice_holds_the_same_events_as_a_slice_of_the_list(raws: list[bytes], data: st.DataObject):
    start = data.draw(st.integers(0, len(raws)))
    stop = data.draw(st.integers(start, len(raws)))

    part = batch_of(raws).slice(start, stop)

    assert [stored.raw for stored in part] == raws[start:stop]
    assert part.first_offset == 100 + start
    assert [stored.envelope for stored in part] == [(WEB, SERVER)[index % 2] for index in range(start, stop)]
