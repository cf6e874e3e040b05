"""Klaviyo: profiles, and what they did, one request each.

Sources: Klaviyo's API reference, "Create Event", "Create or Update Profile", "Bulk Create Events", "Get Accounts";
"Events API overview" (deduplication, limitations, 400s); "Rate limits, status codes, and errors"; "API versioning and
deprecation policy".

Events go one by one and not by "Bulk Create Events", although that would take a thousand at once. Of an event that is
told again Klaviyo keeps the first; of a bulk job that holds one again the reference says that all of it fails, and a
job is also answered before its events are looked at. A retry after a lost answer would so cost events, and a bad one
would be nobody's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from gateway.config import DestinationSettings
from gateway.config.texts import OR_EMPTY, AnyCountry, Currency, like
from gateway.config.units import BaseUrl
from gateway.destinations import commerce, klaviyo_commerce, people
from gateway.destinations.classify import answer, classify_by_status
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import as_text, find, name, number, present, properties, text, traits, without
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Halt, Outcome, Reject

MAX_BODY_BYTES = 5_000_000
MAX_PROPERTIES = 400
MAX_STRING_BYTES = 100_000
MAX_METRIC_CHARACTERS = 127
MAX_UNIQUE_ID_CHARACTERS = 255
MAX_EMAIL_CHARACTERS = 99
MAX_ERRORS_SHOWN = 3
GONE = 410

_PATHS = {"events": "/api/events", "profiles": "/api/profile-import"}
_PAGE_VIEWS = {"page": "Viewed Page", "screen": "Viewed Screen"}
_TRAITS_WITH_A_PLACE = frozenset(
    {"email", "phone", "phoneNumber", "phone_number", "id", "userId", "anonymousId"}
    | {"name", "firstName", "first_name", "firstname", "lastName", "last_name", "lastname"}
    | {"address", "street", "city", "state", "zip", "postalCode", "postal_code", "country"}
    | {"company", "organization", "title", "jobTitle", "job_title", "avatar", "image"}
)
"""What is told of a person under a name of Klaviyo's; all other traits become properties of theirs."""


class KlaviyoSettings(DestinationSettings):
    """The account, and how numbers and amounts that say little are read."""

    type: Literal["klaviyo"] = "klaviyo"
    api_key: SecretStr
    """The private API key, which begins with `pk_`."""
    revision: Annotated[str, like(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?", 'write a date, like "2026-10-15"')] = "2026-10-15"
    """The revision of Klaviyo's API, a date such as `2026-10-15`. Klaviyo retires each two years after its date."""
    default_country: AnyCountry = ""
    """ISO 3166 code, such as `DE`, by which telephone numbers are read that have no country code, of people without a
    country; where it is empty, those numbers are left out."""
    default_currency: Annotated[Currency, OR_EMPTY] = ""
    """ISO 4217 code, such as `EUR`, of amounts whose event names no currency; where it is empty, none is sent."""
    concurrency: int = Field(default=16, ge=1, le=64)
    """Requests at once; each tells one event."""
    page_views: bool = False
    """Tell of pages and screens too, as `Viewed Page` and `Viewed Screen`."""
    base_url: BaseUrl = "https://a.klaviyo.com"
    """Where the API is, without `/api`."""


def map_event(event: Event, settings: KlaviyoSettings) -> Sequence[Message]:
    """Who did it has to be known by an address, a telephone number or a user id; of others nothing is told."""
    who = _identifiers(event, settings)
    if not who:
        return []
    match event["type"]:
        case "identify":
            return [_profile(who | _attributes(event))]
        case "group":
            organization = text(event, "traits.name")
            return [_profile({**who, "organization": organization})] if organization else []
        case "track":
            return _tracked(event, who, settings)
        case "page" | "screen" as call if settings.page_views:
            return [_event(event, who, _PAGE_VIEWS[call], {"properties": _page(event)})]
        case _:
            return []


def request(payloads: Sequence[Payload], settings: KlaviyoSettings, _sending: Sending) -> Request:
    """The message is the whole body."""
    return Request(settings.base_url + _PATHS[payloads[0].key], payloads[0].body, _headers(settings))


def classify(response: Response, _payloads: Sequence[Payload]) -> Outcome:
    """The default table, with Klaviyo's own words; a revision that is retired is the owner's to replace."""
    if response.status == GONE:
        return Halt("HTTP 410: this revision of the API is retired")
    outcome = classify_by_status(response)
    words = _words(response)
    return Reject(f"HTTP {response.status}: {words}") if isinstance(outcome, Reject) and words else outcome


def probe(settings: KlaviyoSettings) -> Request:
    """The account that the key belongs to."""
    return Request(f"{settings.base_url}/api/accounts", b"", _headers(settings), method="GET")


def unique_id(message_id: str, part: int | None = None) -> str:
    """By which Klaviyo knows an event of a profile and metric again; `part` tells the lines of an order apart."""
    found = message_id if part is None else f"{message_id}:{part}"
    return found if len(found) <= MAX_UNIQUE_ID_CHARACTERS else hashlib.sha256(found.encode()).hexdigest()


def _identifiers(event: Event, settings: KlaviyoSettings) -> dict[str, Any]:
    person = people.actor_of(event)
    email = people.plain_email(person.email)
    phone = people.phone_e164(person.phone, people.country_code(person.country) or settings.default_country)
    return present(
        email=email if email and len(email) <= MAX_EMAIL_CHARACTERS else None,
        phone_number=phone if phone and phone.startswith("+") else None,
        external_id=text(event, "userId"),
    )


def _attributes(event: Event) -> dict[str, Any]:
    """What an identify says of a person, beside who it is."""
    person = people.actor_of(event)
    return present(
        first_name=person.first_name,
        last_name=person.last_name,
        organization=text(event, "traits.company.name", "traits.company", "traits.organization"),
        title=text(event, "traits.title", "traits.jobTitle", "traits.job_title"),
        image=text(event, "traits.avatar", "traits.image"),
        location=present(
            address1=person.street,
            city=person.city,
            region=person.state,
            zip=person.postal_code,
            country=person.country,
            timezone=text(event, "context.timezone"),
        ),
        properties=without(traits(event), _TRAITS_WITH_A_PLACE),
    )


def _profile(attributes: Mapping[str, Any]) -> Message:
    return Message({"data": {"type": "profile", "attributes": attributes}}, "profiles")


def _tracked(event: Event, who: Mapping[str, Any], settings: KlaviyoSettings) -> list[Message]:
    """The event; after an order, each of its lines as well."""
    kind = klaviyo_commerce.metric(event)
    if kind is None:
        metric = commerce.spec_name(event)
        amount = number(event, "properties.value", "properties.revenue", "properties.total")
        told = {"properties": without(properties(event), ()), **_money(amount, event, settings)}
        return [_event(event, who, metric, told)] if metric else []
    amount = commerce.value(event) if kind.has_value else number(event, "properties.value")
    told = {"properties": klaviyo_commerce.told(event, kind), **_money(amount, event, settings)}
    messages = [_event(event, who, kind.name, told)]
    if kind.name == klaviyo_commerce.PLACED_ORDER:
        for part, product in enumerate(commerce.products(event)):
            line = klaviyo_commerce.ordered_product(event, product)
            told = {"properties": line, **_money(commerce.cost([product]), event, settings)}
            messages.append(_event(event, who, klaviyo_commerce.ORDERED_PRODUCT, told, part))
    return messages


def _event(
    event: Event, who: Mapping[str, Any], metric: str, told: Mapping[str, Any], part: int | None = None
) -> Message:
    """`told`: properties, and value and value_currency where there is an amount."""
    kept = dict(islice(((key, value) for key, value in told["properties"].items() if _fits(value)), MAX_PROPERTIES))
    repairs = ["name_cut"] if len(metric) > MAX_METRIC_CHARACTERS else []
    repairs += ["property_left_out"] if len(kept) < len(told["properties"]) else []
    attributes = {
        **told,
        "properties": kept,
        "time": event["timestamp"],
        "unique_id": unique_id(event["messageId"], part),
        "metric": {"data": {"type": "metric", "attributes": {"name": metric[:MAX_METRIC_CHARACTERS]}}},
        "profile": {"data": {"type": "profile", "attributes": who}},
    }
    return Message({"data": {"type": "event", "attributes": attributes}}, "events", repairs)


def _page(event: Event) -> dict[str, Any]:
    """What is seen of a page: its properties, with the name that the call gave it."""
    return present(name=name(event)) | without(properties(event), ())


def _money(amount: float | None, event: Event, settings: KlaviyoSettings) -> dict[str, Any]:
    if amount is None:
        return {}
    return present(value=amount, value_currency=commerce.currency(event, settings.default_currency))


def _fits(value: Any) -> bool:
    return not isinstance(value, str) or len(value.encode(errors="replace")) <= MAX_STRING_BYTES


def _headers(settings: KlaviyoSettings) -> dict[str, str]:
    return {
        "authorization": f"Klaviyo-API-Key {settings.api_key.get_secret_value()}",
        "revision": settings.revision,
        "accept": "application/vnd.api+json",
        "content-type": "application/vnd.api+json",
    }


def _words(response: Response) -> str:
    """What it did not like, and where in the body that stands; empty where it does not say."""
    errors = answer(response).get("errors")
    said = [each for each in errors if isinstance(each, Mapping)] if isinstance(errors, list) else []
    return "; ".join(filter(None, map(_complaint, said[:MAX_ERRORS_SHOWN])))


def _complaint(error: Mapping[str, Any]) -> str:
    words = text(error, "detail", "title", "code") or ""
    where = as_text(find(error, "source.pointer"))
    return f"{words} ({where})" if words and where else words


KLAVIYO = Destination(
    settings=KlaviyoSettings,
    title="Klaviyo",
    map=map_event,
    request=request,
    classify=classify,
    category="marketing",
    max_batch_bytes=MAX_BODY_BYTES,
    probe=probe,
)
