"""One event's whole life, from what the queue still knows. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.admin.documents import Document, letter_document, located_document, rejected_document
from gateway.config import DestinationSettings
from gateway.model.words import counted
from gateway.queue.records import Cursor, Letter, Located, Rejected

Verdicts = Mapping[tuple[str, int], str]
"""By cursor and offset: the rule that would filter the event today, empty where none would."""

NOT_FOUND = (
    "no event with this id is in the queue and no refused one mentions it; "
    "it is older than queue.retention, or it never came"
)


def life_of(
    found: Sequence[Located],
    rejected: Sequence[Rejected],
    cursors: Sequence[Cursor],
    letters: Sequence[Letter],
    destinations: Mapping[str, DestinationSettings],
    verdicts: Verdicts,
) -> Document:
    """Where the event is, what each destination did with it, and the refusals that mention it.

    The queue counts what rules kept back and does not keep which events those were: `verdicts` are of today.
    """
    return {
        "events": [
            located_document(event) | {"destinations": list(_fates(event, cursors, letters, destinations, verdicts))}
            for event in found
        ],
        "rejected": [rejected_document(refusal) for refusal in rejected],
        "note": "" if found or rejected else NOT_FOUND,
    }


def mentioning(message_id: str, rejected: Iterable[Rejected]) -> list[Rejected]:
    """The refusals whose body, as far as it was kept, holds the id."""
    needle = message_id.encode()
    return [refusal for refusal in rejected if needle in refusal.body]


def _fates(
    event: Located,
    cursors: Sequence[Cursor],
    letters: Sequence[Letter],
    destinations: Mapping[str, DestinationSettings],
    verdicts: Verdicts,
) -> Iterable[Document]:
    for cursor in sorted(cursors, key=lambda cursor: cursor.destination):
        if cursor.end_offset is not None and not cursor.start_offset <= event.offset < cursor.end_offset:
            continue
        own = next(
            (each for each in letters if (each.destination, each.offset) == (cursor.destination, event.offset)), None
        )
        settings = destinations.get(cursor.destination.partition("#")[0])
        verdict = verdicts.get((cursor.destination, event.offset))
        yield {"destination": cursor.destination} | _fate(event, cursor, own, settings, verdict)


def _fate(
    event: Located, cursor: Cursor, letter: Letter | None, settings: DestinationSettings | None, verdict: str | None
) -> dict[str, Any]:
    if letter is not None:
        document = letter_document(letter)
        state = "dead" if letter.state == "dead" else "retrying"
        return {"state": state} | {key: document[key] for key in ("reason", "error", "attempts", "next_attempt_at")}
    if not event.source:
        return {"state": "filtered", "detail": "its person asked to be forgotten"}
    if event.offset < cursor.start_offset:
        return {"state": "not_sent", "detail": "it came before this destination's cursor began"}
    if settings is not None and settings.sources and event.source not in settings.sources:
        return {"state": "filtered", "detail": f'the destination does not take the source "{event.source}"'}
    if event.offset >= cursor.next_offset:
        return _pending(event, cursor)
    return _passed(cursor, verdict)


def _passed(cursor: Cursor, verdict: str | None) -> dict[str, Any]:
    """Of an event that has an outcome and no letter: delivered or filtered."""
    if verdict:
        return {"state": "filtered", "detail": f"the rules of now would filter it: {verdict}"}
    if cursor.filtered and not cursor.delivered and not cursor.dead:
        return {"state": "filtered", "detail": "by a rule, as all of its events were"}
    if cursor.filtered and verdict is None:
        were = counted(cursor.filtered, "of its events was", "of its events were")
        return {"state": "delivered", "detail": f"or kept back by a rule, as {were}: `headwater preview` tells"}
    return {"state": "delivered", "detail": "the rules of now let it through" if cursor.filtered else ""}


def _pending(event: Located, cursor: Cursor) -> dict[str, Any]:
    ahead = event.offset - cursor.next_offset
    error = cursor.retry.last_error if cursor.retry else ""
    return {"state": "pending", "detail": f"{counted(ahead, 'event is', 'events are')} before it", "error": error}
