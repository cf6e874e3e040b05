"""Letters: events taken out of a destination's stream, with a copy of them, dead or tried again on their own."""

from dataclasses import dataclass, replace

import msgspec

from gateway.deliver.decode import decode
from gateway.model.envelope import Envelope, Stored
from gateway.queue.records import Letter

MAX_ERROR_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is known about an event that could not be delivered."""

    error: str
    attempts: int
    failing_since_ms: int


def dead_letter(stored: Stored, destination: str, reason: str, trouble: Trouble) -> Letter:
    """The event is not sent again unless the owner says so."""
    return Letter(
        destination=destination,
        offset=stored.offset,
        message_id=_message_id(stored.raw),
        source=stored.envelope.source,
        received_at_ms=stored.envelope.received_at_ms,
        event=stored.raw,
        envelope=msgspec.msgpack.encode(stored.envelope),
        state="dead",
        reason=reason,
        error=trouble.error[:MAX_ERROR_CHARACTERS],
        attempts=trouble.attempts,
        failing_since_ms=trouble.failing_since_ms,
        next_attempt_at_ms=0,
    )


def retry_letter(stored: Stored, destination: str, next_attempt_at_ms: int, trouble: Trouble) -> Letter:
    """The event is tried again by itself, and its person's later events go on."""
    letter = dead_letter(stored, destination, "retrying", trouble)
    return replace(letter, state="retry", next_attempt_at_ms=next_attempt_at_ms)


def stored_event(letter: Letter) -> Stored:
    """The event as it lay in the queue."""
    return Stored(letter.offset, letter.event, msgspec.msgpack.decode(letter.envelope, type=Envelope))


def _message_id(raw: bytes) -> str:
    """Empty where the event cannot be decoded, which is then why it is a letter."""
    try:
        return str(decode(raw).get("messageId", ""))
    except ValueError:
        return ""
