"""Ids for visitors of whom nothing is kept: the same one for the same day, and then nobody can tell who it was."""

import hashlib
import secrets
from collections.abc import Sequence

SALT_BYTES = 32
ID_BYTES = 16


class DailyIds:
    """Outlives a configuration, so that a reload makes nobody a new visitor. The salt is never written down."""

    def __init__(self) -> None:
        self._day = -1
        self._salt = b""

    def of(self, day: int, traces: Sequence[str]) -> str:
        """The id of whoever leaves these traces on `day`, in hexadecimal digits."""
        if day != self._day:
            self._day, self._salt = day, secrets.token_bytes(SALT_BYTES)
        text = "\0".join(traces).encode(errors="replace")
        return hashlib.blake2b(text, key=self._salt, digest_size=ID_BYTES).hexdigest()
