"""LinkedIn's Conversions API: chosen events, for the conversion rules that the owner made of them.

Source: LinkedIn's pages "Conversions API" (headers, batches), "Conversions API Schema" (events, identifiers, the age of
90 days), "Custom Matching Identifiers", "Deduplication", "Getting Access to Conversions API" and "Versioning".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import Currency, like
from gateway.config.units import BaseUrl
from gateway.destinations import commerce, fields, people
from gateway.destinations.classify import answer, blame, classify_in_words
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

MAX_BATCH_EVENTS = 5000
MAX_BATCH_BYTES = 2_000_000
MAX_AGE_S = 90 * 86_400
PROTOCOL_VERSION = "2.0.0"

INVALID = frozenset({400, 422})
FORBIDDEN = 403
UPGRADE_REQUIRED = 426
TOO_MANY_REQUESTS = 429

_RULE = "urn:lla:llaPartnerConversion:"
_FAULT = re.compile(r"(?:Index: (\d{1,6}), )?ERROR :: (.+)")
_PLACES = re.compile(r"indices \[([\d, ]+)\]")

ConversionRule = Annotated[str, like(rf"({_RULE})?[0-9]+", 'write the digits of the conversion rule, like "104012"')]
"""The id of a conversion rule, or its URN."""


class LinkedInSettings(DestinationSettings):
    """Which events are conversions, and the token that may say so."""

    type: Literal["linkedin"] = "linkedin"
    base_url: BaseUrl = "https://api.linkedin.com"
    """Where the API is."""
    access_token: Annotated[SecretStr, Field(min_length=1)]
    """The token of the Direct API, from Campaign Manager."""
    conversions: dict[str, Annotated[tuple[ConversionRule, ...], Field(min_length=1)]] = Field(min_length=1)
    """Names of track events, and of pages and screens, each with the ids of the conversion rules that it counts for.
    Nothing else is sent."""
    version: Annotated[str, like(r"20[0-9]{2}(0[1-9]|1[0-2])", 'write a year and a month, like "202608"')] = "202608"
    """Of the API, a year and a month. LinkedIn serves a version for at least a year, and then refuses everything."""
    default_currency: Currency = "USD"
    """Of amounts that come without a currency: ISO 4217, like `EUR`."""
    requests_per_second: float = Field(default=10, ge=0)
    """LinkedIn takes 600 requests a minute. Zero: no limit."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS, max_bytes=MAX_BATCH_BYTES)
    """LinkedIn takes up to 5,000 events at once."""


def map_event(event: Event, settings: LinkedInSettings) -> Sequence[Message]:
    """The conversion, for each of its rules; nothing where it has none, or nothing to know the person by."""
    user = _user(event)
    if user is None:
        return []
    happened_ms = fields.milliseconds_until_receipt(event)
    conversion = fields.present(
        conversionHappenedAt=happened_ms,
        conversionValue=_value(event, settings),
        eventId=fields.text(event, "properties.event_id", "messageId"),
        user=user,
    )
    repairs = ["future_time"] if happened_ms < fields.milliseconds(event) else []
    rules = [_RULE + rule.removeprefix(_RULE) for rule in _rules(event, settings)]
    return [Message({"conversion": rule, **conversion}, repairs=repairs) for rule in rules]


def _rules(event: Event, settings: LinkedInSettings) -> Sequence[str]:
    if event["type"] not in ("track", "page", "screen"):
        return ()
    found = settings.conversions.get(fields.name(event))
    if found is None and event["type"] == "track":
        found = settings.conversions.get(commerce.spec_name(event))
    return found or ()


def _user(event: Event) -> dict[str, Any] | None:
    """By what LinkedIn knows the person; `userIds` has to be there, be it empty."""
    person = people.person_of(event)
    ids = {
        "SHA256_EMAIL": people.sha256(people.email(person.email)),
        "LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID": fields.click_id(event, "li_fat_id")
        or fields.cookie(event, "li_fat_id"),
        "ACXIOM_ID": fields.external_id(event, "ACXIOM_ID"),
        "PLAINTEXT_IP_ADDRESS": _ipv4(fields.text(event, "context.ip")),
        "GOOGLE_AID": fields.advertising_id(event) if fields.platform(event) == "android" else None,
    }
    own_id = people.sha256(fields.text(event, "userId", "anonymousId"))
    known = fields.present(
        userInfo=_user_info(event, person) if person.first_name and person.last_name else None,
        externalIds=[own_id] if own_id else None,
    )
    listed = [{"idType": kind, "idValue": value} for kind, value in ids.items() if value]
    return {"userIds": listed, **known} if listed or known else None


def _user_info(event: Event, person: people.Person) -> dict[str, Any]:
    """LinkedIn wants these as they are, and none without both names."""
    country = people.country_code(person.country)
    company = ("company.name", "company", "companyName", "company_name")
    return fields.present(
        firstName=person.first_name,
        lastName=person.last_name,
        title=_trait(event, "title"),
        companyName=_trait(event, *company),
        countryCode=country.upper() if country else None,
    )


def _trait(event: Event, *keys: str) -> str | None:
    return fields.text(event, *(f"{holder}.{key}" for holder in ("traits", "context.traits") for key in keys))


def _ipv4(address: str | None) -> str | None:
    """The address where it is one of version 4: LinkedIn knows nobody by another."""
    try:
        return str(IPv4Address(address or ""))
    except ValueError:
        return None


def _value(event: Event, settings: LinkedInSettings) -> dict[str, str] | None:
    """A decimal as a text: LinkedIn refuses a number."""
    value = commerce.value(event)
    if value is None or value < 0:
        return None
    currency = commerce.currency(event, settings.default_currency)
    return {"currencyCode": currency, "amount": format(Decimal(str(value)), "f")}


def request(payloads: Sequence[Payload], settings: LinkedInSettings, _sending: Sending) -> Request:
    """All conversions at once."""
    body = b'{"elements":[' + b",".join(payload.body for payload in payloads) + b"]}"
    headers = {
        "authorization": f"Bearer {settings.access_token.get_secret_value()}",
        "content-type": "application/json",
        "linkedin-version": settings.version,
        "x-restli-protocol-version": PROTOCOL_VERSION,
        "x-restli-method": "BATCH_CREATE",
    }
    return Request(f"{settings.base_url}/rest/conversionEvents", body, headers)


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """One invalid event sinks the request, but LinkedIn names it. What is wrong with the version or with a rule is for
    the owner to put right."""
    said = answer(response)
    message = fields.text(said, "message") or ""
    words = ": ".join(filter(None, [fields.text(said, "code"), " ".join(message.split())]))
    if response.status == UPGRADE_REQUIRED:
        return Halt(f"HTTP {UPGRADE_REQUIRED}: {words or 'the version'}; set `version` to one that LinkedIn serves")
    if response.status == FORBIDDEN:
        words = "; ".join(filter(None, [words, "is each conversion rule there, and may the token use it?"]))
    if response.status in INVALID and (named := blame(_faults(message), len(payloads))):
        return named
    outcome = classify_in_words(response, words)
    return _of_each(said, payloads) if isinstance(outcome, Delivered) else outcome


def _faults(message: str) -> dict[int, str]:
    """What is wrong with which event. Lines "Index: 2, ERROR :: /path :: text" begin with the event's place, further
    lines are of the same event; or the message ends with "indices [0, 2] (0-indexed)"."""
    faults: dict[int, str] = {}
    place: int | None = None
    for line in message.splitlines():
        found = _FAULT.match(line.strip())
        place = int(found[1]) if found and found[1] else place
        if found and place is not None:
            faults[place] = f"{faults[place]}; {found[2]}" if place in faults else found[2]
    listed = _PLACES.search(message)
    for each in re.findall(r"\d{1,6}", listed[1]) if listed else ():
        faults.setdefault(int(each), message)
    return faults


def _of_each(said: Mapping[str, Any], payloads: Sequence[Payload]) -> Outcome:
    """A batch that was taken is answered with a status for each of its elements, in their order."""
    elements = said.get("elements")
    if not isinstance(elements, list) or len(elements) != len(payloads):
        return Delivered()
    verdicts = [*_verdicts(elements)]
    return Delivered() if all(isinstance(each, Delivered) for each in verdicts) else Partial(verdicts)


def _verdicts(elements: Sequence[Any]) -> Iterator[Delivered | Retry | Reject]:
    for element in elements:
        said = element if isinstance(element, Mapping) else {}
        status = fields.whole(said.get("status")) or 0
        words = f"HTTP {status}: {fields.text(said, 'error.message') or ''}"
        if status < 400:  # noqa: PLR2004 - the classes of errors
            yield Delivered()
        elif status == TOO_MANY_REQUESTS or status >= 500:  # noqa: PLR2004 - the class of the server's errors
            yield Retry(words)
        else:
            yield Reject(words)


LINKEDIN = Destination(
    settings=LinkedInSettings,
    title="LinkedIn Conversions API",
    map=map_event,
    request=request,
    classify=classify,
    category="marketing",
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    max_age_s=MAX_AGE_S,
    unasked="its API has no request that tries this token without sending a conversion",
)
