"""TikTok: the Events API 2.0, for what happens on a website.

Page views and tracks are events, with what is known of their person; identify, screen, group and alias have no
counterpart. Source: TikTok API for Business, "Events API Parameters" and "Setup guide for Web" (fields, hashing,
batches), "Send TikTok Click ID", "Send TikTok Cookie", "Event Deduplication", "Responses and errors", "Rate limits"; of
the help centre "About supported standard events", "How to adopt TikTok's updated standard events", "About custom
events" (names) and "About parameters".
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import AnyCountry, Currency, like
from gateway.config.units import BaseUrl, Duration
from gateway.destinations import commerce, fields, people
from gateway.destinations.classify import answer, classify_by_status, retry_after_s
from gateway.destinations.commerce import Product
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import click_id, cookie, number, present, text
from gateway.destinations.http_messages import Request, Response
from gateway.govern.integrations import options
from gateway.model.event import Event
from gateway.model.outcome import Halt, Outcome, Reject, Retry

TITLE = "TikTok Conversions"
MAX_BATCH_EVENTS = 1000
MAX_NAME_LENGTH = 50
MAX_REASON_LENGTH = 300
USUAL_MAX_AGE_S = 7 * 86_400

STANDARD_EVENTS: Mapping[str, str] = {
    "Products Searched": "Search",
    "Product Viewed": "ViewContent",
    "Product Added": "AddToCart",
    "Product Added to Wishlist": "AddToWishlist",
    "Checkout Started": "InitiateCheckout",
    "Payment Info Entered": "AddPaymentInfo",
    "Order Completed": "Purchase",
    "Signed Up": "CompleteRegistration",
    "Subscription Created": "Subscribe",
    "Trial Started": "StartTrial",
    "Callback Started": "Contact",
    "File Downloaded": "Download",
}
"""From the Segment spec and the browser script. Names of TikTok's own, like Lead, are passed on as they are."""

_WORTH_THE_PRODUCTS = frozenset(
    {"ViewContent", "AddToCart", "AddToWishlist", "InitiateCheckout", "AddPaymentInfo", "Purchase"}
)
_COUNTED = frozenset({"InitiateCheckout", "Purchase"})
_APPS = frozenset({"android", "ios"})

_OK = 0
_THROTTLED = 40_100
_TEMPORARY = 40_700
_OWNERS = frozenset({40_001, *range(40_101, 40_200)})
"""Permissions and tokens: nothing succeeds until the owner acts."""
_SERVICE_ERRORS = range(50_000, 60_000)


class TiktokSettings(DestinationSettings):
    """Which pixel is told, and what of the people."""

    type: Literal["tiktok"] = "tiktok"
    base_url: BaseUrl = "https://business-api.tiktok.com"
    """Where TikTok's API is."""
    api_version: Annotated[str, like(r"v\d{1,3}\.\d{1,2}", 'write a version, like "v1.3"')] = "v1.3"
    """Version of TikTok's API."""
    pixel_code: Annotated[
        str,
        like(
            r"[A-Za-z0-9]{1,64}", 'write the letters and digits that Events Manager shows, like "C3ABCDEFGHIJKLMNOPQR"'
        ),
    ]
    """Id of the pixel."""
    access_token: Annotated[SecretStr, Field(min_length=1)]
    """Token of the pixel's Events API."""
    test_event_code: Annotated[
        str, like(r"[A-Za-z0-9_-]*", 'write the code that Events Manager shows, like "TEST12345"')
    ] = ""
    """Shows the events in Events Manager under Test Events, each in a request of its own. Remove it afterwards."""
    events: dict[str, str] = Field(default={})
    """Names of your tracks and what TikTok is told instead: a standard event of TikTok's, or a name of your own."""
    page_url: Annotated[
        str,
        like(r"(https?://\S+)?", 'write an address that begins with http:// or https://, like "https://shop.example/"'),
    ] = ""
    """Address sent for events that name no page, as from servers. Empty: such events become dead letters."""
    currency: Currency = "USD"
    """Of values whose event names none, ISO 4217."""
    phone_country: AnyCountry = ""
    """Country of phone numbers without a country code whose person's country is not known, ISO 3166 ("DE"). Empty: they
    are left out."""
    content_type: Literal["product", "product_group"] = "product"
    """What your product ids are in TikTok's catalogue: `product`, or `product_group` for ids of groups."""
    limited_data_use: bool = False
    """Ask TikTok for limited data use for every event. A single event can ask for it, too."""
    max_age: Duration = USUAL_MAX_AGE_S
    """Events older than this, 7 days, become dead letters instead of being sent; TikTok itself names no limit."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS, max_bytes=1_000_000)
    """Events in one request; TikTok takes no more than 1,000."""


def map_event(event: Event, settings: TiktokSettings) -> Sequence[Message]:
    """One web event, if anything is known of its person; what comes from an app is none."""
    page = fields.web_url(event)
    is_app = page is None and (text(event, "context.device.type") or "").lower() in _APPS
    if is_app or event["type"] not in ("page", "track"):
        return []
    said = options(event, TITLE)
    person = _user(event, said, settings.phone_country)
    if not person:
        return []
    name, repairs = ("Pageview", ()) if event["type"] == "page" else _track_name(event, settings)
    if not (page or settings.page_url):
        raise ValueError("TikTok takes no web event without the address of its page: set page_url")
    limited = said.get("limited_data_use")
    body = present(
        event=name,
        event_time=fields.seconds(event),
        event_id=text(event, "properties.event_id") or event["messageId"],
        user=person,
        page=present(url=page or settings.page_url, referrer=fields.referrer(event)),
        properties=_properties(event, name, settings),
        limited_data_use=(limited if isinstance(limited, bool) else settings.limited_data_use) or None,
    )
    return [Message(body, repairs=repairs)]


def _track_name(event: Event, settings: TiktokSettings) -> tuple[str, Sequence[str]]:
    """In TikTok's words, and what had to be repaired."""
    own, spec = fields.name(event), commerce.spec_name(event)
    wanted = settings.events.get(own) or settings.events.get(spec) or STANDARD_EVENTS.get(spec, own)
    wanted = wanted.replace(" ", "_")
    name = re.sub(r"^[^A-Za-z]+|[^A-Za-z0-9_-]", "", wanted)[:MAX_NAME_LENGTH]
    if not name:
        raise ValueError("TikTok takes names of Latin letters, digits, _ and - alone: name the event under `events`")
    return name, () if name == wanted else ("event_name_changed",)


def _user(event: Event, said: Mapping[str, Any], phone_country: str) -> dict[str, Any]:
    """What is known of the person: what names somebody is hashed, places are not but for the postal code."""
    person = people.person_of(event)
    country = people.country_code(person.country)
    return present(
        email=people.sha256(people.email(person.email)),
        phone=people.sha256(people.phone_e164(person.phone, country or phone_country)),
        external_id=people.sha256(text(event, "userId", "anonymousId")),
        first_name=people.sha256(people.name(person.first_name)),
        last_name=people.sha256(people.name(person.last_name)),
        city=people.place(person.city),
        state=people.place(person.state),
        country=country,
        zip_code=people.hashed(person.postal_code, lambda code: people.postal_code(code, country)),
        ttclid=text(said, "ttclid") or click_id(event, "ttclid") or cookie(event, "ttclid"),
        ttp=text(said, "ttp") or text(event, "context.ttp") or cookie(event, "_ttp"),
        ip=text(event, "context.ip"),
        user_agent=text(event, "context.userAgent"),
        locale=text(event, "context.locale"),
    )


def _properties(event: Event, name: str, settings: TiktokSettings) -> dict[str, Any]:
    """What TikTok has parameters for; all else that the event says stays here."""
    listed = [product for product in commerce.products(event) if product.id]
    said = number(event, "properties.revenue", "properties.value", "properties.total")
    cost = commerce.cost(commerce.products(event)) if name in _WORTH_THE_PRODUCTS else None
    value = cost if said is None else said
    return present(
        contents=[_content(product) for product in listed],
        content_ids=[product.id for product in listed],
        content_type=settings.content_type if listed else None,
        value=value,
        currency=None if value is None else commerce.currency(event, settings.currency),
        num_items=commerce.quantity(listed) if listed and name in _COUNTED else None,
        order_id=commerce.order_id(event),
        search_string=text(event, "properties.query") if name == "Search" else None,
        description=text(event, "properties.description"),
    )


def _content(product: Product) -> dict[str, Any]:
    return present(
        content_id=product.id,
        content_name=product.name,
        content_category=product.category,
        brand=product.brand,
        price=product.price,
        quantity=product.quantity or 1,
    )


def request(payloads: Sequence[Payload], settings: TiktokSettings, _sending: Sending) -> Request:
    """All of them in `data`, behind the pixel that they are for."""
    test = f'"test_event_code":"{settings.test_event_code}",' if settings.test_event_code else ""
    head = f'{{"event_source":"web","event_source_id":"{settings.pixel_code}",{test}"data":['
    return Request(
        f"{settings.base_url}/open_api/{settings.api_version}/event/track/",
        head.encode() + b",".join(payload.body for payload in payloads) + b"]}",
        {"access-token": settings.access_token.get_secret_value(), "content-type": "application/json"},
    )


def classify(response: Response, _payloads: Sequence[Payload]) -> Outcome:
    """By the code in the answer: its status is 200 for most refusals, and 401 for too many requests.

    TikTok does not say which events of a partial success it took, so the request is refused and sent again in parts,
    which it knows by their ids.
    """
    by_status = classify_by_status(response)
    told = answer(response)
    code = told.get("code")
    if not isinstance(code, int) or code == _OK:
        return by_status
    reason = f"TikTok {code}: {text(told, 'message') or ''}"[:MAX_REASON_LENGTH]
    if code in (_THROTTLED, _TEMPORARY) or code in _SERVICE_ERRORS:
        return Retry(reason, retry_after_s(response))
    if code in _OWNERS or isinstance(by_status, Halt):
        return Halt(reason)
    if isinstance(by_status, Retry):
        return Retry(reason, by_status.after_s)
    return Reject(reason)


TIKTOK = Destination(
    settings=TiktokSettings,
    title=TITLE,
    category="marketing",
    map=map_event,
    request=request,
    classify=classify,
    max_batch_events=lambda settings, _key: 1 if settings.test_event_code else MAX_BATCH_EVENTS,
    unasked="no request is known to try this token without sending an event",
)
