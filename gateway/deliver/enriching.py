"""Events as destinations are shown them: decoded, canonical, and enriched as the owner wants it at the moment."""

from contextlib import ExitStack

from gateway.config import EnrichSettings
from gateway.deliver.decode import EventCache, canonical_event
from gateway.enrich import NOTHING_ADDED, open_enricher
from gateway.model.envelope import Stored
from gateway.model.event import Event


class Enriching:
    """Of one daemon."""

    def __init__(self, max_cached_bytes: int) -> None:
        self.events = EventCache(max_cached_bytes, self.canonical)
        """What all readers near the head are shown."""
        self._settings = EnrichSettings()
        self._enricher = NOTHING_ADDED
        self._open = ExitStack()

    @property
    def is_on(self) -> bool:
        """Whether anything is added to what the log holds."""
        return bool(self._enricher)

    def canonical(self, stored: Stored) -> Event:
        """One event, for one reader alone. Raises ValueError where it cannot be decoded."""
        return self._enricher.enriched(canonical_event(stored))

    def change(self, settings: EnrichSettings) -> None:
        """Enrich as these say from now on. Raises ConfigError, and then nothing has changed."""
        if settings == self._settings:
            return
        opened = ExitStack()
        self._enricher = opened.enter_context(open_enricher(settings))
        self._settings = settings
        self.events.clear()
        self._open.close()
        self._open = opened

    def close(self) -> None:
        """Let go of the geo database."""
        self._open.close()
        self._enricher = NOTHING_ADDED
