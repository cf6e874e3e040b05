"""Who has asked to be forgotten: their later events are not stored.

Only keyed digests are kept, so that the list itself says nothing of anybody who does not have the key and a guess.
"""

from collections.abc import Iterable
from hashlib import blake2b

from gateway.model.junk import is_junk
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier, Known

DIGEST_BYTES = 16
KEY_BYTES = 32
MAX_DIGESTS = 250_000
"""About 25 MB of memory."""


class Suppression:
    """Digests of identifiers. Empty for most gateways, and then it costs nothing to ask."""

    def __init__(self, key: bytes, digests: Iterable[bytes] = ()) -> None:
        self.key = key
        self.digests = set(digests)
        self._users, self._visitors = self._hasher(USER_ID), self._hasher(ANONYMOUS_ID)
        """Where every digest of the type begins: a copy of that spares half of the work."""

    def __bool__(self) -> bool:
        return bool(self.digests)

    def digest(self, identifier: Identifier) -> bytes:
        """What is kept of an identifier."""
        return _digest(self._hasher(identifier.type), identifier.value)

    def holds(self, user_ids: Iterable[str | None], anonymous_id: str | None) -> bool:
        """Whether an event with these ids is not to be stored. One of another user is theirs, whatever the device."""
        users = [user_id for user_id in user_ids if user_id and not is_junk(user_id)]
        if users:
            return any(_digest(self._users, user_id) in self.digests for user_id in users)
        return anonymous_id is not None and _digest(self._visitors, anonymous_id) in self.digests

    def _hasher(self, kind: str) -> blake2b:
        return blake2b(f"{kind}\0".encode(errors="surrogatepass"), key=self.key, digest_size=DIGEST_BYTES)


def _digest(hasher: blake2b, value: str) -> bytes:
    own = hasher.copy()
    own.update(value.encode(errors="surrogatepass"))
    return own.digest()


def suppressed_by(person: Known) -> list[Identifier]:
    """What is suppressed with a person: the user ids, and the devices that were never anybody else's."""
    devices = {each.anonymous_id for each in person.tenures if each.from_us is None and each.to_us is None}
    return [
        *(Identifier(USER_ID, each) for each in sorted(person.user_ids)),
        *(Identifier(ANONYMOUS_ID, each) for each in sorted(devices)),
    ]
