"""Reddit's Conversions API, version 3: conversions of the site and of apps, for the account's pixel.

Source: Reddit's pages "Post Conversion Events", "Direct Integration" (match keys and how they are hashed, metadata,
deduplication, limits, error messages), "Migration to v3" and "About event metadata".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import AnyCountry, Currency, like
from gateway.config.units import BaseUrl
from gateway.destinations import commerce, fields, people
from gateway.destinations.classify import answer, blame, classify_in_words
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.govern.integrations import options
from gateway.model.event import Event
from gateway.model.outcome import Outcome

TITLE = "Reddit Conversions API"
MAX_BATCH_EVENTS = 1000
MAX_BATCH_BYTES = 1_000_000
MAX_AGE_S = 7 * 86_400
MAX_CUSTOM_NAME_CHARACTERS = 64
BAD_REQUEST = 400

TrackingType = Literal[
    "PAGE_VISIT", "VIEW_CONTENT", "SEARCH", "ADD_TO_CART", "ADD_TO_WISHLIST", "PURCHASE", "LEAD", "SIGN_UP", "CUSTOM"
]

TRACKING_TYPES: Mapping[str, TrackingType] = {
    "Products Searched": "SEARCH",
    "Product List Viewed": "VIEW_CONTENT",
    "Product Viewed": "VIEW_CONTENT",
    "Product Added": "ADD_TO_CART",
    "Product Added to Wishlist": "ADD_TO_WISHLIST",
    "Order Completed": "PURCHASE",
    "Signed Up": "SIGN_UP",
    "Lead": "LEAD",
    "Lead Generated": "LEAD",
}
"""Every other track is a custom event of its name."""

WITH_ITEM_COUNT = frozenset({"ADD_TO_CART", "ADD_TO_WISHLIST", "PURCHASE", "CUSTOM"})
WITH_VALUE = WITH_ITEM_COUNT | {"LEAD", "SIGN_UP"}
"""Of the other types Reddit refuses an amount."""

_UUID = re.compile(r"(\d+\.)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLACE = re.compile(r"\$\.data\.events\[(\d{1,6})\]\.?(.*)", re.DOTALL)


class RedditSettings(DestinationSettings):
    """Which pixel the conversions are of, and how they are named."""

    type: Literal["reddit"] = "reddit"
    base_url: BaseUrl = "https://ads-api.reddit.com"
    """Where the API is."""
    pixel_id: Annotated[str, like(r"[A-Za-z0-9_]+", 'write the id that Events Manager shows, like "a2_abc123"')]
    """The pixel's id, like `a2_abc123`."""
    access_token: Annotated[SecretStr, Field(min_length=1)]
    """The conversion access token of the business."""
    events: dict[str, TrackingType] = Field(default={})
    """Your own event names, each with one of Reddit's: `PAGE_VISIT`, `VIEW_CONTENT`, `SEARCH`, `ADD_TO_CART`,
    `ADD_TO_WISHLIST`, `PURCHASE`, `LEAD`, `SIGN_UP` or `CUSTOM`. They come before the table below."""
    action_source: Literal["", "WEBSITE", "APP", "PHYSICAL_STORE", "OTHER"] = ""
    """Where all the events happened. Empty: `APP` for those of phones' apps, `WEBSITE` for the others."""
    default_currency: Currency = "USD"
    """Of amounts that come without a currency: ISO 4217, like `EUR`."""
    default_country: AnyCountry = ""
    """Of phone numbers without a country code, where the person's country is not known: ISO 3166, like `DE`. Empty:
    such numbers are not sent."""
    test_id: str = ""
    """From Event Testing: the events are shown there and do not count. Remove it when you are done."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS, max_bytes=MAX_BATCH_BYTES)
    """Reddit takes up to 1,000 events at once."""


def map_event(event: Event, settings: RedditSettings) -> Sequence[Message]:
    """A conversion; nothing where there is no counterpart, or nothing to know the person by."""
    name, tracking_type = _named(event, settings)
    user, click_id = _match_keys(event, settings), fields.click_id(event, "rdt_cid")
    if tracking_type is None or not (user or click_id):
        return []
    happened_ms = fields.milliseconds_until_receipt(event)
    source = settings.action_source or ("APP" if fields.platform(event) else "WEBSITE")
    custom_name = name[:MAX_CUSTOM_NAME_CHARACTERS] if tracking_type == "CUSTOM" else None
    body = fields.present(
        event_at=happened_ms,
        action_source=source,
        event_source_url=fields.url(event) if source == "WEBSITE" else None,
        click_id=click_id,
        type=fields.present(tracking_type=tracking_type, custom_event_name=custom_name),
        user=user and {**user, **_circumstances(event)},
        metadata=_metadata(event, tracking_type, settings),
    )
    repairs = {
        "name_cut": custom_name is not None and custom_name != name,
        "future_time": happened_ms < fields.milliseconds(event),
    }
    return [Message(body, repairs=[reason for reason, was_needed in repairs.items() if was_needed])]


def _named(event: Event, settings: RedditSettings) -> tuple[str, TrackingType | None]:
    """The event's name, and Reddit's type for it; None where it has none."""
    kind, name = event["type"], fields.name(event)
    if kind in ("page", "screen"):
        return name, settings.events.get(name, "PAGE_VISIT")
    if kind != "track" or not name:
        return name, None
    spec_name = commerce.spec_name(event)
    own = settings.events.get(name) or settings.events.get(spec_name)
    return name, own or TRACKING_TYPES.get(spec_name, "CUSTOM")


def _match_keys(event: Event, settings: RedditSettings) -> dict[str, Any]:
    """By what Reddit knows the person: what identifies them hashed, address and browser as they are."""
    person = people.person_of(event)
    country = people.country_code(person.country) or settings.default_country
    uuid = fields.cookie(event, "_rdt_uuid")
    advertising_id, platform = fields.advertising_id(event), fields.platform(event)
    return fields.present(
        email=people.sha256(people.reddit_email(person.email)),
        phone_number=people.sha256(people.phone_e164(person.phone, country)),
        external_id=people.sha256(fields.text(event, "userId", "anonymousId")),
        ip_address=fields.text(event, "context.ip"),
        user_agent=fields.text(event, "context.userAgent"),
        uuid=uuid if uuid and _UUID.fullmatch(uuid) else None,
        idfa=people.sha256(advertising_id.upper()) if advertising_id and platform == "ios" else None,
        aaid=people.sha256(advertising_id.lower()) if advertising_id and platform == "android" else None,
    )


def _circumstances(event: Event) -> dict[str, Any]:
    """What goes along with the match keys and is none."""
    width, height = (fields.whole(fields.find(event, f"context.screen.{side}")) for side in ("width", "height"))
    processing = options(event, TITLE).get("data_processing_options")
    return fields.present(
        screen_dimensions={"width": width, "height": height} if width and height else None,
        data_processing_options=processing if isinstance(processing, Mapping) else None,
    )


def _metadata(event: Event, tracking_type: TrackingType, settings: RedditSettings) -> dict[str, Any]:
    """The dedup id, the products, and of the types that have it the amount."""
    listed = commerce.products(event)
    value = commerce.value(event) if tracking_type in WITH_VALUE else None
    has_value = value is not None and value >= 0
    return fields.present(
        conversion_id=fields.text(event, "properties.event_id", "messageId"),
        value=value if has_value else None,
        currency=commerce.currency(event, settings.default_currency) if has_value else None,
        item_count=fields.whole(commerce.quantity(listed)) if listed and tracking_type in WITH_ITEM_COUNT else None,
        products=[_product(each) for each in listed if each.id],
    )


def _product(each: commerce.Product) -> dict[str, Any]:
    return fields.present(
        id=each.id,
        name=each.name,
        category=each.category,
        quantity=fields.whole(each.quantity),
        item_price=each.price,
    )


def request(payloads: Sequence[Payload], settings: RedditSettings, _sending: Sending) -> Request:
    """All events at once."""
    test = b'"test_id":' + orjson.dumps(settings.test_id) + b"," if settings.test_id else b""
    body = b'{"data":{' + test + b'"events":[' + b",".join(payload.body for payload in payloads) + b"]}}"
    headers = {
        "authorization": f"Bearer {settings.access_token.get_secret_value()}",
        "content-type": "application/json",
    }
    return Request(f"{settings.base_url}/api/v3/pixels/{settings.pixel_id}/conversion_events", body, headers)


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """One invalid event sinks the request ("None were processed"), but Reddit names the fields that it did not like."""
    error = answer(response).get("error")
    error = error if isinstance(error, Mapping) else {}
    if response.status == BAD_REQUEST and (named := blame(_faults(error), len(payloads))):
        return named
    return classify_in_words(response, fields.text(error, "message"))


def _faults(error: Mapping[str, Any]) -> dict[int, str]:
    """What Reddit says of events, by their places in the request: "$.data.events[0].user.UUID" is of the first."""
    faults: dict[int, str] = {}
    listed = error.get("fields")
    for entry in listed if isinstance(listed, list) else ():
        found = _PLACE.fullmatch(fields.text(entry, "field") or "") if isinstance(entry, Mapping) else None
        if found is not None:
            place, words = int(found[1]), f"{found[2]}: {fields.text(entry, 'message')}"
            faults[place] = f"{faults[place]}; {words}" if place in faults else words
    return faults


REDDIT = Destination(
    settings=RedditSettings,
    title=TITLE,
    map=map_event,
    request=request,
    classify=classify,
    category="marketing",
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    max_age_s=MAX_AGE_S,
    unasked="no request is known to try this token without sending an event",
)
