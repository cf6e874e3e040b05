"""Who is who: identifiers, and what a person is known by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

ANONYMOUS_ID = "anonymous_id"
USER_ID = "user_id"


class Identifier(NamedTuple):
    """`type` is ANONYMOUS_ID, USER_ID or the name of a strong identifier, like "email"."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Tenure:
    """For how long an anonymous id belongs to somebody: `from_us <= time < to_us`, None without end.

    In microseconds since the epoch, by the corrected time of the event.
    """

    anonymous_id: str
    owner: Identifier
    from_us: int | None = None
    to_us: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a person is known by. An event is theirs when its user id is one of `user_ids`; when it has no user id (or
    junk for one), and its anonymous id and time are in one of `tenures`."""

    person_id: str
    user_ids: frozenset[str]
    tenures: Sequence[Tenure]
    others: Sequence[Identifier] = ()
    """Strong identifiers."""

    @property
    def identifiers(self) -> Sequence[Identifier]:
        """All that are the person's alone: devices may be others' too."""
        return [*(Identifier(USER_ID, each) for each in self.user_ids), *self.others]
