"""The id of a person: made from the oldest identifier, so that it is the same wherever and whenever it is computed."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import md5

from gateway.identity.store import Placement
from gateway.model.person import ANONYMOUS_ID, Identifier

REMEMBERED = 2**16
"""Ids that were computed lately: a load asks for each several times."""


@lru_cache(maxsize=REMEMBERED)
def person_id_of(identifier: Identifier) -> str:
    """The id of a person whose oldest identifier this is. SQL can compute it too: `md5(type || ' ' || value)`."""
    text = f"{identifier.type} {identifier.value}"
    return md5(text.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()


def oldest(members: Iterable[Placement]) -> Placement:
    """The member that gives the person its name."""
    return min(members, key=lambda each: (each.born, each.identifier.type != ANONYMOUS_ID, each.identifier))


@lru_cache(maxsize=REMEMBERED)
def hash_of(identifier: Identifier) -> int:
    """64 bits, signed, to search by: the first half of the id of a person that is named by this identifier."""
    return person_hash(person_id_of(identifier))


def person_hash(person_id: str) -> int:
    """The same of a person's id."""
    return int.from_bytes(bytes.fromhex(person_id[:16]), "big", signed=True)
