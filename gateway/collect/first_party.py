"""Where the browser script sends its events, and the pixel for pages without JavaScript: one address, by POST and GET.
Both know the visitor by the cookie."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import orjson
from aiohttp import hdrs

from gateway.collect.answers import PIXEL, Answer, json_answer
from gateway.collect.digest import Digest, digest
from gateway.collect.exchange import Exchange
from gateway.collect.fields import UNREADABLE, Frame, decode_frame
from gateway.collect.inflate import inflate
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
from gateway.collect.lenient import clean, dump
from gateway.collect.refusals import Refusal
from gateway.collect.sources import Source
from gateway.collect.visitors import COOKIELESS, Visitors
from gateway.config import SourceSettings

PIXEL_LIBRARY = {"name": "headwater pixel"}
PROPERTY = "p."


class FirstParty:
    """The script's endpoint, under one configuration."""

    def __init__(self, ingest: Ingest, rules: Rules, visitors: Visitors) -> None:
        self._ingest = ingest
        self._rules = rules
        self._visitors = visitors

    def take(self, exchange: Exchange) -> None:
        """Handles a POST of the script."""
        exchange.on_admit = self._admit
        self._ingest.take(self._rules, exchange, exchange.body, read_script_body)

    def show(self, source: SourceSettings, exchange: Exchange) -> None:
        """Handles a GET: a view of the page that shows the image, or what the query's `event` names."""
        known = self._visitors.known(exchange)
        visitor = known.anonymous_id if known is not None else self._rules.new_id()
        exchange.on_admit = partial(
            self._admit_pixel, Frame(visitor, COOKIELESS if source.browser.mode == COOKIELESS else "")
        )
        exchange.on_answer = lambda _: PIXEL
        event = {"writeKey": source.write_keys[0], "anonymousId": visitor, **describe_view(exchange)}
        self._ingest.take(self._rules, exchange, dump(clean(event)[0]))

    def _admit(self, exchange: Exchange, source: Source, address: str, result: Digest) -> Digest:
        welcome = self._visitors.welcome(exchange, source, address, result)
        if welcome.told or welcome.cookie:
            exchange.on_answer = partial(_tell, welcome.told, welcome.cookie)
        return welcome.result

    def _admit_pixel(self, frame: Frame, exchange: Exchange, source: Source, address: str, result: Digest) -> Digest:
        welcome = self._visitors.welcome(exchange, source, address, result._replace(frame=frame))
        shown = replace(PIXEL, head=PIXEL.head + welcome.cookie)
        exchange.on_answer = lambda _: shown
        return welcome.result


def read_script_body(wire: bytes, encoding: str, max_bytes: int, rules: Rules) -> Digest | Refusal:
    """The events in a body of the browser script, and what it says beside them. A Reader."""
    body = inflate(wire, encoding, max_bytes)
    if isinstance(body, Refusal):
        return body
    result = digest(body, "", max_bytes, rules)
    if isinstance(result, Refusal):
        return result
    try:
        return result._replace(frame=decode_frame(body))
    except UNREADABLE:
        return result


def describe_view(exchange: Exchange) -> dict[str, object]:
    """The event of a pixel: a page view, or `event`, with the properties `p.NAME`, on the page that Referer names."""
    query = exchange.parameters()
    properties = {key.removeprefix(PROPERTY): value for key, value in query.items() if key.startswith(PROPERTY)}
    page = describe_page(exchange.header(hdrs.REFERER) or "")
    context = {"library": PIXEL_LIBRARY, "page": page, "userAgent": exchange.header(hdrs.USER_AGENT) or ""}
    event = query.get("event")
    if event:
        return {"type": "track", "event": event, "properties": properties, "context": context}
    return {"type": "page", "properties": {**page, **properties}, "context": context}


def describe_page(url: str) -> dict[str, str]:
    """The page that shows a pixel. Browsers tell its path to its own host, and the host alone to others."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return {}
    search = f"?{parts.query}" if parts.query else ""
    return {"url": url, "path": parts.path, "search": search} if parts.scheme in {"http", "https"} else {}


def _tell(told: Mapping[str, str], cookie: bytes, answer: Answer) -> Answer:
    """A success with what the page has to know; whatever else is said says nothing about the visitor."""
    if answer.status != 200:  # noqa: PLR2004 - the one status of success
        return answer
    if told:
        answer = json_answer(200, {**orjson.loads(answer.body), **told})
    return replace(answer, head=answer.head + cookie)
