"""Intercom: contacts, what they did, and the companies that they belong to.

Sources: Intercom's API reference (its OpenAPI file, version 2.14): "Create contact" (409 and its words), "Update a
contact", "Get a contact", "Submit a data event" (metadata, deduplication, 404), "Create or Update a company", "Attach a
Contact to a Company"; "Rate Limiting", "Error Codes", "Identify an admin"; and for the hosts of the regions and what
becomes of an unknown attribute, RudderStack's integration.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

import orjson
from pydantic import Field, SecretStr

from gateway.config import DestinationSettings
from gateway.config.texts import like
from gateway.config.units import BaseUrl
from gateway.destinations import commerce, people
from gateway.destinations.classify import answer, classify_by_status, retry_after_s
from gateway.destinations.contract import Conversation, Destination, Message, Payload, Sending
from gateway.destinations.fields import (
    as_number,
    find,
    number,
    present,
    properties,
    seconds,
    table,
    text,
    timestamp_ms,
    traits,
)
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.intercom_metadata import attributes, metadata
from gateway.model.event import Event
from gateway.model.outcome import Outcome, Reject, Retry

NOT_FOUND = 404
CONFLICT = 409
TOO_MANY_REQUESTS = 429
MAX_WHOLE_NUMBER = 2**31 - 1

_PAGE_VIEWS = {"page": "Viewed Page", "screen": "Viewed Screen"}
_EXISTING_ID = re.compile(r"\bid=([\w-]+)")


class IntercomSettings(DestinationSettings):
    """The workspace, and which attributes it has: Intercom refuses those that it does not know."""

    type: Literal["intercom"] = "intercom"
    access_token: SecretStr
    """The access token of an app of your workspace."""
    contact_attributes: tuple[str, ...] = ()
    """Custom attributes of contacts that exist in Intercom, by their names; each is filled from the trait of the same
    name."""
    company_attributes: tuple[str, ...] = ()
    """Custom attributes of companies, filled likewise from the traits of a group."""
    max_metadata: int = Field(default=10, ge=1, le=100)
    """How many keys of an event's metadata are sent. Intercom keeps the first 10 and ignores the rest."""
    concurrency: int = Field(default=16, ge=1, le=64)
    """Requests at once; each tells one event."""
    page_views: bool = False
    """Tell of pages and screens too, as `Viewed Page` and `Viewed Screen`."""
    api_version: Annotated[str, like(r"\d+\.\d+", 'write a version, like "2.14"')] = "2.14"
    """The version of Intercom's API."""
    base_url: BaseUrl = "https://api.intercom.io"
    """Where the workspace is: `https://api.eu.intercom.io` in Europe, `https://api.au.intercom.io` in Australia."""


def map_event(event: Event, settings: IntercomSettings) -> Sequence[Message]:
    """Contacts are known by the user id, or where there is none by the address; of others nothing is told."""
    match event["type"]:
        case "identify":
            return _contact(event, settings)
        case "group":
            return _company(event, settings)
        case "track":
            return _data_event(event, commerce.spec_name(event), settings)
        case "page" | "screen" as call if settings.page_views:
            return _data_event(event, _PAGE_VIEWS[call], settings)
        case _:
            return []


def request(payloads: Sequence[Payload], settings: IntercomSettings, _sending: Sending) -> Request:
    """The first one of the conversation."""
    (payload,) = payloads
    body = orjson.dumps(orjson.loads(payload.body)["company"]) if payload.key == "companies" else payload.body
    return _call(settings, f"/{payload.key}", body)


def converse(payloads: Sequence[Payload], settings: IntercomSettings, sending: Sending) -> Conversation:
    """One event, whose answers decide how it goes on."""
    (payload,) = payloads
    return (yield from _CONVERSATIONS[payload.key](payload, settings, sending))


def probe(settings: IntercomSettings) -> Request:
    """The admin that the token belongs to."""
    return _call(settings, "/me", b"", "GET")


def _contact(event: Event, settings: IntercomSettings) -> list[Message]:
    person = people.actor_of(event)
    who = present(external_id=text(event, "userId"), email=people.plain_email(person.email))
    names = " ".join(filter(None, (person.first_name, person.last_name)))
    unsubscribed = find(event, "traits.unsubscribedFromEmails")
    told = present(
        phone=person.phone,
        name=text(event, "traits.name", "context.traits.name") or names,
        avatar=text(event, "traits.avatar"),
        signed_up_at=_created_at(event),
        unsubscribed_from_emails=unsubscribed if isinstance(unsubscribed, bool) else None,
        custom_attributes=attributes(traits(event), settings.contact_attributes),
    )
    return [Message({"role": "user", **who, **told}, "contacts")] if who else []


def _data_event(event: Event, name: str, settings: IntercomSettings) -> list[Message]:
    who = _one_identity(event)
    if not (who and name):
        return []
    told, repairs = metadata(properties(event), commerce.currency(event, ""), settings.max_metadata)
    said_by = {"user_id": who["external_id"]} if "external_id" in who else who
    body = {"event_name": name, "created_at": seconds(event), **said_by, **present(metadata=told)}
    return [Message(body, "events", repairs)]


def _company(event: Event, settings: IntercomSettings) -> list[Message]:
    group_id = text(event, "groupId")
    if not group_id:
        return []
    company = present(
        company_id=group_id,
        name=text(event, "traits.name"),
        plan=text(event, "traits.plan"),
        size=_whole(number(event, "traits.employees", "traits.size")),
        website=text(event, "traits.website"),
        industry=text(event, "traits.industry"),
        monthly_spend=_whole(number(event, "traits.monthlySpend", "traits.monthly_spend")),
        remote_created_at=_created_at(event),
        custom_attributes=attributes(table(event, "traits"), settings.company_attributes),
    )
    return [Message({"company": company, "contact": _one_identity(event)}, "companies")]


def _created_at(event: Event) -> int | None:
    """Of the person or the group, as the traits say it."""
    moment_ms = timestamp_ms(find(event, "traits.createdAt", "traits.created_at"))
    return moment_ms // 1000 if moment_ms is not None else None


def _whole(value: float | None) -> int | None:
    return int(value) if value is not None and 0 <= value <= MAX_WHOLE_NUMBER else None


def _one_identity(event: Event) -> dict[str, str]:
    """By what a contact is looked up: more than one could lead to two contacts."""
    user_id = text(event, "userId")
    email = people.plain_email(people.actor_of(event).email)
    return present(external_id=user_id) or present(email=email)


def _identified(payload: Payload, settings: IntercomSettings, sending: Sending) -> Conversation:
    """Create; where the contact exists already, update it."""
    created = yield request([payload], settings, sending)
    existing = _existing_id(created)
    if existing is None:
        return _judged(created, sending)
    said = orjson.loads(payload.body)
    if "external_id" in said and "email" in said:
        found = yield _call(settings, f"/contacts/{existing}", b"", "GET")
        if not _succeeded(found):
            return _judged(found, sending)
        if answer(found).get("external_id") not in (None, "", said["external_id"]):
            return Reject(f"the e-mail address is that of another user's contact, id={existing}")
    return _judged((yield _call(settings, f"/contacts/{existing}", payload.body, "PUT")), sending)


def _happened(payload: Payload, settings: IntercomSettings, sending: Sending) -> Conversation:
    """Submit; where the contact is not known, create it, and submit once more by the id that Intercom gives it."""
    submitted = yield request([payload], settings, sending)
    if submitted.status != NOT_FOUND:
        return _judged(submitted, sending)
    event = orjson.loads(payload.body)
    who = present(external_id=event.pop("user_id", None), email=event.pop("email", None))
    created = yield _call(settings, "/contacts", orjson.dumps({"role": "user", **who}))
    contact_id = _intercom_id(created)
    if contact_id is None:
        return _judged_without_id(created, sending)
    return _judged((yield _call(settings, "/events", orjson.dumps({**event, "id": contact_id}))), sending)


def _belongs(payload: Payload, settings: IntercomSettings, sending: Sending) -> Conversation:
    """Create or update the company; then attach the person, who is created where Intercom does not know them."""
    stored = yield request([payload], settings, sending)
    who = orjson.loads(payload.body)["contact"]
    if not (who and _succeeded(stored)):
        return _judged(stored, sending)
    company_id = _intercom_id(stored)
    if company_id is None:
        return _judged_without_id(stored, sending)
    created = yield _call(settings, "/contacts", orjson.dumps({"role": "user", **who}))
    contact_id = _intercom_id(created)
    if contact_id is None:
        return _judged_without_id(created, sending)
    attached = yield _call(settings, f"/contacts/{contact_id}/companies", orjson.dumps({"id": company_id}))
    return _judged(attached, sending)


_CONVERSATIONS: Mapping[str, Callable[[Payload, IntercomSettings, Sending], Conversation]] = {
    "contacts": _identified,
    "events": _happened,
    "companies": _belongs,
}


def _call(settings: IntercomSettings, path: str, body: bytes, method: str = "POST") -> Request:
    headers = {
        "authorization": f"Bearer {settings.access_token.get_secret_value()}",
        "intercom-version": settings.api_version,
        "accept": "application/json",
        "content-type": "application/json",
    }
    return Request(settings.base_url + path, body, headers, method)


def _succeeded(response: Response) -> bool:
    return response.status // 100 == 2  # noqa: PLR2004 - the class of success


def _existing_id(response: Response) -> str | None:
    """Of the contact that a 409 names. None where it is archived: the owner has put it away."""
    words = _words(response)
    found = _EXISTING_ID.search(words) if response.status == CONFLICT and "archived" not in words else None
    return found[1] if found else None


def _intercom_id(response: Response) -> str | None:
    """Intercom's id of what was created, or is there already."""
    return text(answer(response), "id") if _succeeded(response) else _existing_id(response)


def _judged(response: Response, sending: Sending) -> Outcome:
    """The default table, with Intercom's own words; it says by the clock when its limit ends."""
    outcome = classify_by_status(response)
    if response.status == TOO_MANY_REQUESTS and retry_after_s(response) is None:
        reset_s = as_number(response.headers.get("x-ratelimit-reset"))
        return Retry("HTTP 429", max(0.0, reset_s - sending.now_ms / 1000)) if reset_s else outcome
    words = _words(response)
    return Reject(f"HTTP {response.status}: {words}") if isinstance(outcome, Reject) and words else outcome


def _judged_without_id(response: Response, sending: Sending) -> Outcome:
    """Of an answer that had to hold an id, for the rest of the event."""
    if _succeeded(response):
        return Retry(f"HTTP {response.status} without an id")
    return _judged(response, sending)


def _words(response: Response) -> str:
    """The first of its errors; empty where it does not say."""
    errors = answer(response).get("errors")
    error = errors[0] if isinstance(errors, list) and errors else None
    return ": ".join(present(code=text(error, "code"), message=text(error, "message")).values()) if error else ""


INTERCOM = Destination(
    settings=IntercomSettings,
    title="Intercom",
    map=map_event,
    request=request,
    converse=converse,
    category="marketing",
    probe=probe,
)
