"""The settings of `http`: what is sent for which event, checked as a whole when they are loaded."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import Field, PlainSerializer, PlainValidator, Secret, SecretStr, field_validator, model_validator

from gateway.config import DestinationSettings
from gateway.config.section import Section
from gateway.config.texts import Name, like
from gateway.destinations.addresses import address
from gateway.destinations.headers import HeaderSecret, checked, is_name
from gateway.destinations.http_answers import AnswerSettings
from gateway.destinations.selection import Selection, chooser
from gateway.destinations.template import Template, compiled
from gateway.destinations.template_expression import pieces
from gateway.model.event import Event

WITHOUT_BODY = frozenset({"GET", "DELETE"})
_RESERVED = frozenset({"content-length", "transfer-encoding"})


def _body(value: Any) -> Template:
    is_one_placeholder = isinstance(value, str) and pieces(value)[0] == ["", ""]
    if not is_one_placeholder and not isinstance(value, dict | list):
        raise ValueError('write a table, or one placeholder, like "{{ properties }}"')
    return compiled(value)


_Hidden = PlainSerializer(lambda _: "**********", return_type=str)
"""Templates may hold secrets."""
Address = Annotated[Template, PlainValidator(address), _Hidden]
Body = Annotated[Template, PlainValidator(_body), _Hidden]


class Basic(Section):
    """HTTP Basic."""

    username: Annotated[str, like(r"[^:]*", "a user name of HTTP Basic has no colon")] = ""
    password: SecretStr = SecretStr("")


class QueryKey(Section):
    """A parameter of the address."""

    name: str = Field(min_length=1)
    value: SecretStr


class Auth(Section):
    """Who we are, said in one way."""

    bearer: HeaderSecret | None = None
    basic: Basic | None = None
    query: QueryKey | None = None

    @model_validator(mode="after")
    def _is_said_once(self) -> Self:
        if len([way for way in (self.bearer, self.basic, self.query) if way is not None]) != 1:
            raise ValueError("write one of bearer, basic and query; a key in a header of its own stands in headers")
        return self


class RequestSettings(Section):
    """One kind of request."""

    url: Address | None = None
    """Where to send, http or https. It may hold placeholders after the host; what they bring is percent-encoded, and an
    event that lacks one is not sent. Required, unless every route has its own."""
    method: Literal["POST", "PUT", "PATCH", "GET", "DELETE"] = "POST"
    """GET and DELETE send no body."""
    headers: dict[str, SecretStr] = Field(default={})
    """Sent with every request; values are secrets and never shown. A route's are sent beside these."""
    body: Body | None = None
    """What is told of one event: a table or a list whose texts may hold placeholders, or a text that is one. Unless it
    is said, the event as it is."""
    batch_as: Literal["none", "array", "ndjson", "object"] = "none"
    """How several events share a request: not at all, as a JSON array, as lines, or as a list within an object.
    `batch.max_events` (at most 10,000) and `batch.max_bytes` say how many."""
    batch_key: str = ""
    """The key of the list within the object."""
    batch_with: Secret[dict[str, Any]] | None = None
    """What else the object holds, like `{ api_key = "..." }`; a secret, never shown."""
    dedup: str = ""
    """The key of the body that is given the event's `messageId`, unless the body has it already."""
    dedup_header: str = ""
    """A header that is given the `messageId`, like Idempotency-Key; of several events, a hash of theirs."""

    @field_validator("headers")
    @classmethod
    def _headers_are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        return checked(headers, _RESERVED)

    @field_validator("dedup_header")
    @classmethod
    def _dedup_header_is_one(cls, name: str) -> str:
        if name and not is_name(name):
            raise ValueError(f'"{name}" cannot be a header')
        return name

    @field_validator("batch_with")
    @classmethod
    def _is_json(cls, beside: Secret[dict[str, Any]] | None) -> Secret[dict[str, Any]] | None:
        try:
            orjson.dumps(beside and beside.get_secret_value())
        except TypeError:
            raise ValueError("write texts, numbers, lists and tables") from None
        return beside

    @model_validator(mode="after")
    def _says_nothing_in_vain(self) -> Self:
        in_vain = self.model_fields_set & {"body", "dedup", "batch_as"}
        if self.method in WITHOUT_BODY and in_vain:
            raise ValueError(f"{self.method} sends no body; remove {min(in_vain)}")
        if self.batch_with and self.batch_key in self.batch_with.get_secret_value():
            raise ValueError(f'batch_with has the key "{self.batch_key}" too, where the list of events stands')
        return self


class Route(Selection, RequestSettings):
    """A request for some events. What it does not say, the destination says."""

    name: Name


class HttpSettings(RequestSettings, DestinationSettings):
    """The API in its own words."""

    type: Literal["http"] = "http"
    auth: Auth | None = None
    """`{ bearer = "..." }`, `{ basic = { username = "...", password = "..." } }` or `{ query = { name = "...", value =
    "..." } }`; all values but names are secrets. A key in a header of its own stands in `headers`."""
    routes: tuple[Route, ...] = ()
    """Requests for some events each; the first that matches is sent, and what matches none is not told. Without routes
    every event makes the request that is described here. The keys of a route are below."""
    answer: AnswerSettings = AnswerSettings()
    """What answers mean beyond what statuses mean everywhere. The keys are below."""

    @model_validator(mode="after")
    def _requests_are_whole(self) -> Self:
        for name, count in Counter(route.name for route in self.routes).items():
            if count > 1:
                raise ValueError(f'two routes are called "{name}"; rename one')
        for name, each in self.requests.items():
            whose = f'route "{name}": ' if name else ""
            if each.url is None:
                raise ValueError(f"{whose}there is no url")
            if each.batch_as == "object" and not each.batch_key:
                raise ValueError(f'{whose}say in batch_key under which key the events stand, like "events"')
        requests = self.requests.values()
        has_objects = any(each.batch_as == "object" for each in requests)
        if not has_objects and any(each.batch_key or each.batch_with for each in requests):
            raise ValueError('batch_key and batch_with need batch_as = "object"')
        return self

    @cached_property
    def requests(self) -> Mapping[str, RequestSettings]:
        """What is sent, by the names of routes; one without a name where there are none."""
        if not self.routes:
            return {"": self}
        return {route.name: _completed(route, self) for route in self.routes}

    @cached_property
    def route_of(self) -> Callable[[Event], str | None]:
        """Tells the name of an event's request; None where it has none."""
        if not self.routes:
            return lambda _: ""
        choose = chooser(self.routes)

        def name_of(event: Event) -> str | None:
            route = choose(event)
            return None if route is None else route.name

        return name_of


def _completed(route: Route, settings: HttpSettings) -> RequestSettings:
    said = {
        name: getattr(part, name)
        for part in (settings, route)
        for name in RequestSettings.model_fields
        if name in part.model_fields_set
    }
    return RequestSettings.model_construct(**said | {"headers": {**settings.headers, **route.headers}})
