"""Who has asked to be forgotten: their later events are not stored.

Only keyed digests are kept, so that the list itself says nothing of anybody who does not have the key and a guess.
"""

from collections.abc import Iterable
from hashlib import blake2b

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

    def __bool__(self) -> bool:
        return bool(self.digests)

    def digest(self, identifier: Identifier) -> bytes:
        """What is kept of an identifier."""
        text = f"{identifier.type}\0{identifier.value}".encode(errors="surrogatepass")
        return blake2b(text, key=self.key, digest_size=DIGEST_BYTES).digest()

    def holds(self, user_ids: Iterable[str | None], anonymous_id: str | None) -> bool:
        """Whether an event with these ids is not to be stored."""
        named = [Identifier(USER_ID, each) for each in user_ids if each]
        if anonymous_id:
            named.append(Identifier(ANONYMOUS_ID, anonymous_id))
        return any(self.digest(each) in self.digests for each in named)


def suppressed_by(person: Known) -> list[Identifier]:
    """What is suppressed with a person: the user ids, and the devices that were never anybody else's."""
    devices = {each.anonymous_id for each in person.tenures if each.from_us is None and each.to_us is None}
    return [
        *(Identifier(USER_ID, each) for each in sorted(person.user_ids)),
        *(Identifier(ANONYMOUS_ID, each) for each in sorted(devices)),
    ]
