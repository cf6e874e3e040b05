"""What an owner's settings and a sender's wishes let through to one destination. Pure; made once for each worker."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from gateway.config import DestinationSettings, FieldRules
from gateway.deliver.progress import Filtered
from gateway.govern import consent, integrations, routing, shaping
from gateway.model.envelope import Envelope
from gateway.model.event import Event

BY_SOURCE = Filtered("sources")
FORGOTTEN = Filtered("forgotten")
"""A tombstone in the place of an event whose person asked to be forgotten."""
BY_INTEGRATIONS = Filtered("integrations")
BY_CONSENT = Filtered("consent")


@dataclass(frozen=True, slots=True)
class Route:
    """Which events go, and with what."""

    sources: Collection[str]
    """Empty: all."""
    names: Collection[str]
    """By which senders may call the destination."""
    heeds_all: bool
    categories: Collection[str]
    is_required: bool
    tells_refused: bool
    """The owner said that the visitor's consent plays no part here: it is told even of what is the owner's alone."""
    kept_back_by: Callable[[Event, str], str]
    shaped: Callable[[Event], Event] | None
    looks_inside: bool
    """Whether anything but the source decides."""

    @property
    def takes_all(self) -> bool:
        """Whether every envelope is let through but those of tombstones."""
        return self.tells_refused and not self.sources

    def takes(self, envelope: Envelope) -> bool:
        """Whether anything of this envelope may go."""
        return self.keeps_envelope(envelope) is None

    def keeps_envelope(self, envelope: Envelope) -> Filtered | None:
        """Why nothing of this envelope goes, if so."""
        if envelope.is_tombstone:
            return FORGOTTEN
        if self.sources and envelope.source not in self.sources:
            return BY_SOURCE
        return BY_CONSENT if envelope.is_refused and not self.tells_refused else None

    def keeps_back(self, event: Event, source: str) -> Filtered | None:
        """The rule that keeps the event back, if one does."""
        if event.get("integrations") and not integrations.wants(event, self.names, heeds_all=self.heeds_all):
            return BY_INTEGRATIONS
        if self.categories and consent.is_refused(
            consent.preferences_of(event), self.categories, is_required=self.is_required
        ):
            return BY_CONSENT
        rule = self.kept_back_by(event, source)
        return Filtered(rule) if rule else None


def route(name: str, title: str, settings: DestinationSettings, category: str, *, heeds_all: bool) -> Route:
    """The route to the destination `name`, whose kind is called `title` and serves the purpose `category`."""
    names = {integrations.plain(each) for each in (name, title, settings.integration) if each}
    categories = settings.consent if settings.consent is not None else tuple(filter(None, (category,)))
    return Route(
        sources=settings.sources,
        names=names,
        heeds_all=heeds_all,
        categories=categories,
        is_required=settings.consent_required,
        tells_refused=settings.consent == (),
        kept_back_by=routing.compiled(settings.rules),
        shaped=shaping.compiled(settings.fields),
        looks_inside=bool(settings.rules or categories) or settings.fields != FieldRules(),
    )
