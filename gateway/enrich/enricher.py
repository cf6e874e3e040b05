"""All enrichments together, as the owner switched them on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import orjson

from gateway.config import EnrichSettings
from gateway.enrich.agent import describe_agent, open_parser
from gateway.enrich.bots import open_detector
from gateway.enrich.campaign import campaign_of
from gateway.enrich.geo import locate, open_database
from gateway.enrich.referrer import classify
from gateway.model.event import Event

REMEMBERED = 10_000
"""Answers, of each question. Headers and addresses come again and again."""

Value = TypeVar("Value")
Addition = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From an event's context to what is to be added to it."""


class Remembered(Generic[Value]):
    """Answers by what was asked, the latest `REMEMBERED` of them."""

    def __init__(self, ask: Callable[[str], Value]) -> None:
        self._ask = ask
        self._known: dict[str, Value] = {}

    def __call__(self, question: str) -> Value:
        """The answer."""
        if question in self._known:
            return self._known[question]
        answer = self._known[question] = self._ask(question)
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return answer


class Enricher:
    """Adds to the context of events what the client did not say."""

    def __init__(self, additions: tuple[Addition, ...]) -> None:
        self._additions = additions

    def __bool__(self) -> bool:
        return bool(self._additions)

    def enriched(self, event: Event) -> Event:
        """The event with what is known besides; the argument is not changed."""
        if not self._additions:
            return event
        context = event["context"]
        added: dict[str, Any] = {}
        for addition in self._additions:
            added |= addition(context)
        return {**event, "context": merged(context, added)} if added else event


NOTHING_ADDED = Enricher(())


@contextmanager
def open_enricher(settings: EnrichSettings) -> Iterator[Enricher]:
    """Ready to enrich, with the geo database open. Raises ConfigError where that cannot be read."""
    additions: list[Addition] = []
    if settings.user_agent:
        additions.append(_agent())
    if settings.bots:
        additions.append(_bot())
    if settings.campaign:
        additions.append(_campaign())
    if settings.referrer:
        additions.append(_referrer())
    if settings.geo is None:
        yield Enricher(tuple(additions))
        return
    with open_database(settings.geo) as database:
        located = Remembered(lambda address: locate(address, database))
        additions.append(lambda context: _table("location", located(_text(context.get("ip")))))
        yield Enricher(tuple(additions))


def merged(context: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """The context with what is added; what it says itself stays, table by table."""
    result = {**added, **{key: value for key, value in context.items() if value is not None}}
    for key, value in added.items():
        own = context.get(key)
        if isinstance(own, Mapping) and isinstance(value, Mapping):
            result[key] = {**value, **own}
    return result


def _agent() -> Addition:
    parser = open_parser()

    def described(question: str) -> dict[str, dict[str, Any]]:
        header, hints = orjson.loads(question)
        return describe_agent(header, hints, parser)

    known = Remembered(described)

    def addition(context: Mapping[str, Any]) -> Mapping[str, Any]:
        header, hints = _text(context.get("userAgent")), context.get("userAgentData")
        if not header:
            return {}
        return known(orjson.dumps([header, hints if isinstance(hints, Mapping) else {}]).decode())

    return addition


def _bot() -> Addition:
    known = Remembered(open_detector())
    return lambda context: {"bot": True} if known(_text(context.get("userAgent"))) else {}


def _campaign() -> Addition:
    known = Remembered(campaign_of)
    return lambda context: _table("campaign", known(_page(context, "url")))


def _referrer() -> Addition:
    def classified(question: str) -> dict[str, str]:
        kind = classify(*question.split("\n", 1))
        return kind._asdict() if kind else {}

    known = Remembered(classified)

    def addition(context: Mapping[str, Any]) -> Mapping[str, Any]:
        address = _page(context, "referrer")
        if not address:
            return {}
        site = "/".join(_page(context, "url").split("/", 3)[:3])
        return _table("referrer", known(f"{address}\n{site}"))

    return addition


def _page(context: Mapping[str, Any], key: str) -> str:
    page = context.get("page")
    return _text(page.get(key)) if isinstance(page, Mapping) else ""


def _table(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value} if value else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
