"""A batch, event by event, but with the costly questions asked once for all.

One decoding reads all events, and three searches over the whole body find out that no key is there twice and nothing is
deep, as normalise.py does for each event. That spares the calls, and numpy counts faster than `bytes.count`. Where a
search finds anything, or an event is not plainly clean, normalise.py decides.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from gateway.collect.fields import UNREADABLE, Event, decode_event_array, decode_event_batch
from gateway.collect.judge import Rules, Settled, judge
from gateway.collect.normalise import ID_KEYS, normalise, settle
from gateway.collect.refusals import MAX_DEPTH, Refusal

_BRACKET, _BRACKET_BIT = 0x7B, 0x20  # "{" is 0x7B and "[" is 0x5B: they differ in one bit


def settle_batch(body: bytes, raws: Sequence[bytes], rules: Rules) -> Iterable[Settled | Refusal]:
    """The events `raws` of the batch in `body`, each judged as `normalise` does."""
    try:
        events = decode_event_array(body) if body.startswith(b"[") else decode_event_batch(body).batch
    except UNREADABLE:
        return [normalise(raw, rules) for raw in raws]
    if not _is_plain(events, body, raws, rules):
        return [settle(event, raw, rules) for event, raw in zip(events, raws, strict=True)]
    return [
        (event.messageId, raw, False) if event.messageId and _is_clean(event) else settle(event, raw, rules)
        for event, raw in zip(events, raws, strict=True)
    ]


def _is_plain(events: Sequence[Event], body: bytes, raws: Sequence[bytes], rules: Rules) -> bool:
    """Whether what is left to ask of each event is in its fields."""
    if rules.suspect or rules.context or rules.integrations or not raws:
        return False
    return max(map(len, raws)) <= rules.max_event_bytes and _keys_are_unique(events, body) and _are_shallow(raws)


def _is_clean(event: Event) -> bool:
    if not event.type or judge(event, event.type) is not None:
        return False
    return not (event.userId == "" or event.anonymousId == "" or event.groupId == "" or event.previousId == "")


def _keys_are_unique(events: Sequence[Event], body: bytes) -> bool:
    """Whether `body` holds no more of the keys that must be unique than were decoded: then none is there twice.

    The ends of keys are counted, and only where there are too many (`sessionId`), the whole keys.
    """
    text = np.frombuffer(body, np.uint8)
    if _count(text, b'"ty') != sum([event.type is not UNSET for event in events]):
        return False
    ids = sum(
        [
            (event.messageId is not UNSET)
            + (event.userId is not UNSET)
            + (event.anonymousId is not UNSET)
            + (event.groupId is not UNSET)
            + (event.previousId is not UNSET)
            for event in events
        ]
    )
    return _count(text, b'Id"') == ids or len(ID_KEYS.findall(body)) == ids


def _count(text: NDArray[np.uint8], pattern: bytes) -> int:
    """How often `pattern`, which is short, is in `text`."""
    end = len(text) - len(pattern) + 1
    found = text[:end] == pattern[0]
    for place, byte in enumerate(pattern[1:], start=1):
        found &= text[place : place + end] == byte
    return int(np.count_nonzero(found))


def _are_shallow(raws: Sequence[bytes]) -> bool:
    """Whether no event has more brackets than it may be deep.

    Counted in bytes, which wrap around above 127: then the counts no longer add up to the total.
    """
    opens = (np.frombuffer(b"".join(raws), np.uint8) | _BRACKET_BIT) == _BRACKET
    starts = np.fromiter(accumulate(map(len, raws[:-1]), initial=0), np.intp, len(raws))
    counts = np.add.reduceat(opens.view(np.int8), starts, dtype=np.int8)
    return bool(counts.max() <= MAX_DEPTH and counts.sum(dtype=np.int64) == np.count_nonzero(opens))
