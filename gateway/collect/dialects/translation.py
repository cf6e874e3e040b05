"""What a dialect is: a function that turns a request into events of the Segment spec, and how it is put to use."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from gateway.collect.answers import Answer
from gateway.collect.digest import Digest, SentAt, digest
from gateway.collect.exchange import Exchange
from gateway.collect.inflate import inflate
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
from gateway.collect.lenient import RefusedError, clean, dump
from gateway.collect.refusals import Refusal


class Translation(NamedTuple):
    """A request in Segment's terms."""

    write_key: str
    """As the request says it; empty where it does not."""
    events: list[dict[str, Any]]
    """In the form of `lenient.load`: numbers may be Number, texts need not be clean."""
    sent_at: SentAt = None
    """The client's clock when it sent the request, where it says so."""


Translate = Callable[[bytes, Mapping[str, str]], Translation | Refusal]
"""From an inflated body and the query's fields. Total: whatever a client sends has an answer."""


class Dialect(NamedTuple):
    """One way to talk to us."""

    translate: Translate
    answer: Callable[[Answer], Answer]
    """Turns our answer into the one that these clients understand."""


def serve_dialect(dialect: Dialect, ingest: Ingest, rules: Rules, exchange: Exchange) -> None:
    """Handles a request in a dialect."""
    exchange.on_answer = dialect.answer
    read = partial(read_dialect, dialect.translate, exchange.parameters())
    ingest.take(rules, exchange, exchange.body, read)


def read_dialect(
    translate: Translate, query: Mapping[str, str], wire: bytes, encoding: str, max_bytes: int, rules: Rules
) -> Digest | Refusal:
    """The events in a request of a dialect; a Reader, once `translate` and `query` are given."""
    body = inflate(wire, encoding, max_bytes)
    if isinstance(body, Refusal):
        return body
    translation = translate(body, query)
    if isinstance(translation, Refusal):
        return translation
    frame = {"batch": translation.events, "sentAt": translation.sent_at, "writeKey": translation.write_key}
    try:
        canonical = dump(clean(frame)[0])
    except RefusedError as error:
        return error.refusal
    return digest(canonical, "", rules.max_body_bytes, rules)
