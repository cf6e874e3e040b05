"""HubSpot: contacts, companies and custom events, in batches.

Sources: HubSpot's developer documentation of the date-based API: "Contacts API" (upsert, limits), "Send custom event
occurrences" (identifiers, limits), the OpenAPI files of both at version 2026-09 (`uuid`, scopes), "Error handling"
(multi-status errors, 423, 477), "API usage guidelines" (429, `policyName`), and "Migration guide" (versions).
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import OR_EMPTY, Digits, like
from gateway.config.units import BaseUrl
from gateway.destinations import commerce, people
from gateway.destinations.classify import answer, classify_by_status, retry_after_s
from gateway.destinations.contract import Conversation, Destination, Message, Payload, Sending
from gateway.destinations.fields import as_text, cookie, number, present, properties, table, text, traits
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.hubspot_properties import chosen_properties, event_properties
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Outcome, Partial, Reject, Retry

MAX_RECORDS = 100
MAX_OCCURRENCES = 500
MAX_TURNS = 10
"""Requests that one batch of records may take."""
MULTI_STATUS = 207
LOCKED = 423
TOO_MANY_REQUESTS = 429
MIGRATING = 477

_PATHS = {
    "contacts": "/crm/objects/{}/contacts/batch/upsert",
    "companies": "/crm/objects/{}/companies/batch/upsert",
    "events": "/events/{}/send/batch",
}
_PAGE_VIEWS = {"page": "Viewed Page", "screen": "Viewed Screen"}
_PAUSES_S = {"DAILY": 3600.0, "TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}
"""How long a limit lasts, where HubSpot does not say it; the daily one, until midnight of the account."""
_LOCK_S = 2.0

PropertyName = Annotated[
    str, like(r"[a-z][a-z0-9_]*", 'write the internal name: lower-case letters, digits and _, like "company_id"')
]
EventName = Annotated[
    str, like(r"pe\d+_[a-z0-9_-]+", 'write the event\'s internal name, like "pe123456_order_completed"')
]


class HubSpotSettings(DestinationSettings):
    """The account, and what of it is there to be written to: HubSpot refuses events and properties it does not have."""

    type: Literal["hubspot"] = "hubspot"
    access_token: SecretStr
    """The access token of a private app or a service key."""
    events: dict[str, EventName] = Field(default={})
    """Which events are told, and the internal name of each in HubSpot: `"Order Completed" = "pe1234567_order"`. Pages
    and screens are called `Viewed Page` and `Viewed Screen` here."""
    hub_id: Digits = ""
    """The id of the account. Where it is set, a track event that `events` does not name is told as `pe`, the id, `_`
    and its own name in lower case; each such event must have been defined in HubSpot."""
    contact_key: PropertyName = "email"
    """The unique property by which contacts are known: `email`, or one of yours that holds the user id."""
    contact_properties: tuple[PropertyName, ...] = ()
    """Further properties of contacts, by their internal names; each is filled from the trait of the same name."""
    company_key: Annotated[PropertyName, OR_EMPTY] = ""
    """The unique property of companies that holds the group id. Where it is empty, groups are not told."""
    company_properties: tuple[PropertyName, ...] = ()
    """Further properties of companies, filled likewise from the traits of a group."""
    api_version: Annotated[str, like(r"\d{4}-\d{2}", 'write a year and a month, like "2026-09"')] = "2026-09"
    """The version of HubSpot's API, as in its paths. HubSpot supports each for 18 months at least."""
    base_url: BaseUrl = "https://api.hubapi.com"
    """Where the API is."""
    batch: BatchSettings = BatchSettings(max_events=MAX_OCCURRENCES)
    """HubSpot takes 500 events in a request, and 100 contacts or companies."""


def map_event(event: Event, settings: HubSpotSettings) -> Sequence[Message]:
    """A contact of an identify, a company of a group, an occurrence of everything that has a name in HubSpot."""
    match event["type"]:
        case "identify":
            return _contact(event, settings)
        case "group":
            return _company(event, settings)
        case "track" | "page" | "screen":
            return _occurrence(event, settings)
        case _:
            return []


def request(payloads: Sequence[Payload], settings: HubSpotSettings, _sending: Sending) -> Request:
    """All of one kind."""
    path = _PATHS[payloads[0].key].format(settings.api_version)
    body = b'{"inputs":[' + b",".join(payload.body for payload in payloads) + b"]}"
    return Request(settings.base_url + path, body, _headers(settings))


def converse(payloads: Sequence[Payload], settings: HubSpotSettings, sending: Sending) -> Conversation:
    """HubSpot refuses a request that names a record twice: what is said of one again goes in a further request."""
    later = Retry(f"a batch may say {MAX_TURNS} things of one record")
    verdicts: list[Delivered | Retry | Reject] = [later] * len(payloads)
    for turn in _turns(payloads)[:MAX_TURNS]:
        told = [payloads[index] for index in turn]
        outcome = classify((yield request(told, settings, sending)), told)
        if not isinstance(outcome, Delivered | Partial):
            return outcome  # of all: a record that is told again is the same record
        for place, index in enumerate(turn):
            verdicts[index] = outcome.items[place] if isinstance(outcome, Partial) else outcome
    return Delivered() if all(isinstance(verdict, Delivered) for verdict in verdicts) else Partial(verdicts)


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """The default table, with an answer for each record and the limits that HubSpot names."""
    status = response.status
    if status == TOO_MANY_REQUESTS:
        policy = text(answer(response), "policyName") or ""
        after_s = retry_after_s(response)
        return Retry(f"HTTP 429 {policy}".strip(), _PAUSES_S.get(policy) if after_s is None else after_s)
    if status in {LOCKED, MIGRATING}:
        return Retry(f"HTTP {status}", retry_after_s(response) or _LOCK_S)
    outcome = classify_by_status(response)
    if isinstance(outcome, Delivered):
        return _by_record(response, payloads)
    words = text(answer(response), "message")
    return Reject(f"HTTP {status}: {words}") if isinstance(outcome, Reject) and words else outcome


def probe(settings: HubSpotSettings) -> Request:
    """The account that the token belongs to."""
    url = f"{settings.base_url}/account-info/{settings.api_version}/details"
    return Request(url, b"", _headers(settings), method="GET")


def occurrence_id(message_id: str) -> str:
    """By which HubSpot knows an occurrence again, for a year."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, message_id))


def _contact(event: Event, settings: HubSpotSettings) -> list[Message]:
    person = people.actor_of(event)
    email = people.plain_email(person.email)
    known_by = email if settings.contact_key == "email" else text(event, "userId")
    standard = present(
        email=email,
        firstname=person.first_name,
        lastname=person.last_name,
        phone=person.phone,
        address=person.street,
        city=person.city,
        state=person.state,
        zip=person.postal_code,
        country=person.country,
        company=text(event, "traits.company.name", "traits.company"),
        jobtitle=text(event, "traits.title", "traits.jobTitle", "traits.job_title"),
        website=text(event, "traits.website"),
    )
    told = standard | chosen_properties(traits(event), settings.contact_properties)
    return [_record("contacts", event, settings.contact_key, known_by, told)] if known_by else []


def _company(event: Event, settings: HubSpotSettings) -> list[Message]:
    group_id = text(event, "groupId")
    if not (settings.company_key and group_id):
        return []
    standard = present(
        name=text(event, "traits.name"),
        domain=text(event, "traits.domain"),
        website=text(event, "traits.website"),
        phone=text(event, "traits.phone"),
        description=text(event, "traits.description"),
        numberofemployees=as_text(number(event, "traits.employees")),
        address=text(event, "traits.address.street"),
        city=text(event, "traits.address.city", "traits.city"),
        state=text(event, "traits.address.state", "traits.state"),
        zip=text(event, "traits.address.postalCode", "traits.address.postal_code"),
        country=text(event, "traits.address.country", "traits.country"),
    )
    told = standard | chosen_properties(table(event, "traits"), settings.company_properties)
    return [_record("companies", event, settings.company_key, group_id, told)]


def _record(kind: str, event: Event, key: str, known_by: str, told: Mapping[str, str]) -> Message:
    """The trace id is what HubSpot names a record by that it refuses."""
    body = {
        "id": known_by,
        "idProperty": key,
        "objectWriteTraceId": event["messageId"],
        "properties": {**told, key: known_by},
    }
    return Message(body, kind)


def _occurrence(event: Event, settings: HubSpotSettings) -> list[Message]:
    email = people.plain_email(people.actor_of(event).email)
    who = present(email=email, utk=cookie(event, "hubspotutk"))
    name = _event_name(event, settings)
    if not (who and name):
        return []
    told, repairs = event_properties(properties(event))
    body = {
        "eventName": name,
        **who,
        "occurredAt": event["timestamp"],
        "uuid": occurrence_id(event["messageId"]),
        "properties": told,
    }
    return [Message(body, "events", repairs)]


def _event_name(event: Event, settings: HubSpotSettings) -> str | None:
    if event["type"] in _PAGE_VIEWS:
        return settings.events.get(_PAGE_VIEWS[event["type"]])
    said, spec_name = as_text(event.get("event")) or "", commerce.spec_name(event)
    chosen = settings.events.get(said) or settings.events.get(spec_name)
    own = re.sub(r"[^a-z0-9_-]+", "_", spec_name.lower()).strip("_")
    return chosen or (f"pe{settings.hub_id}_{own}" if settings.hub_id and own else None)


def _turns(payloads: Sequence[Payload]) -> list[list[int]]:
    """The payloads' places, so that no turn has two of one record; each record's stay in order."""
    if payloads[0].key == "events":
        return [list(range(len(payloads)))]
    turns: list[list[int]] = []
    times: dict[str, int] = {}
    for index, payload in enumerate(payloads):
        record = orjson.loads(payload.body)["id"]
        turn = times.get(record, 0)
        times[record] = turn + 1
        turns += [[]] if turn == len(turns) else []
        turns[turn].append(index)
    return turns


def _by_record(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """What became of each record. An answer that does not say whose its errors are is one for the whole request, which
    is then asked again by halves; so is one that stored nothing."""
    if payloads[0].key == "events":
        return Delivered()
    said = answer(response)
    if response.status == MULTI_STATUS and not said:
        return Reject("HTTP 207: the answer cannot be read")
    listed = said.get("errors")
    errors = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    refused = {trace: text(error, "message") or "refused" for error in errors for trace in _traces(error)}
    if not all(map(_traces, errors)):
        return Reject(f"HTTP {response.status}: {text(errors[0], 'message') or 'refused'}")
    if not errors:
        is_lost = said.get("results") == []
        return Reject(f"HTTP {response.status}: it was taken, and nothing was stored") if is_lost else Delivered()
    verdicts = [refused.get(payload.message_id) for payload in payloads]
    return Partial([Reject(words) if words else Delivered() for words in verdicts])


def _traces(error: Mapping[str, Any]) -> list[str]:
    """The ids of the records that an error is about."""
    context = error.get("context")
    traces = context.get("objectWriteTraceId") if isinstance(context, Mapping) else None
    return [each for each in traces if isinstance(each, str)] if isinstance(traces, list) else []


def _headers(settings: HubSpotSettings) -> dict[str, str]:
    token = settings.access_token.get_secret_value()
    return {"authorization": f"Bearer {token}", "content-type": "application/json"}


HUBSPOT = Destination(
    settings=HubSpotSettings,
    title="HubSpot",
    map=map_event,
    request=request,
    classify=classify,
    converse=converse,
    category="marketing",
    max_batch_events=lambda _settings, key: MAX_OCCURRENCES if key == "events" else MAX_RECORDS,
    probe=probe,
)
