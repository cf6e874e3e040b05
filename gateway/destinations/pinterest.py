"""Pinterest: the API for Conversions, version 5.

Page views and tracks are events, with what is known of their person; identify, screen, group and alias have no
counterpart. Source: Pinterest's API reference, "Send conversions" (fields, their types, the answer for each event), and
its guides "Track conversions in the API" (events, hashing, deduplication) and "Use Limited Data Processing flag".
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import AnyCountry, Currency, like
from gateway.config.units import BaseUrl, Duration
from gateway.destinations import commerce, fields, people
from gateway.destinations.classify import answer, classify_by_status
from gateway.destinations.commerce import Product
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import as_text, click_id, cookie, number, present, text
from gateway.destinations.http_messages import Request, Response
from gateway.govern.integrations import options
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject

TITLE = "Pinterest Conversions API"
MAX_BATCH_EVENTS = 1000
MAX_TEST_EVENTS = 20
MAX_REASON_LENGTH = 300
USUAL_MAX_AGE_S = 7 * 86_400

EventName = Literal[
    "add_payment_info",
    "add_to_cart",
    "add_to_wishlist",
    "app_install",
    "app_open",
    "checkout",
    "contact",
    "custom",
    "customize_product",
    "find_location",
    "initiate_checkout",
    "lead",
    "page_visit",
    "schedule",
    "search",
    "signup",
    "start_trial",
    "submit_application",
    "subscribe",
    "view_category",
    "view_content",
    "watch_video",
]

STANDARD_EVENTS: Mapping[str, EventName] = {
    "Products Searched": "search",
    "Product List Viewed": "view_category",
    "Product Viewed": "view_content",
    "Product Added": "add_to_cart",
    "Product Added to Wishlist": "add_to_wishlist",
    "Checkout Started": "initiate_checkout",
    "Payment Info Entered": "add_payment_info",
    "Order Completed": "checkout",
    "Signed Up": "signup",
    "Subscription Created": "subscribe",
    "Trial Started": "start_trial",
    "Video Playback Started": "watch_video",
    "Application Installed": "app_install",
    "Application Opened": "app_open",
}
"""From the Segment spec. Everything else is `custom`."""

_WORTH_THE_PRODUCTS = frozenset(
    {"view_content", "add_to_cart", "add_to_wishlist", "initiate_checkout", "add_payment_info", "checkout"}
)
_COUNTED = frozenset({"add_to_cart", "initiate_checkout", "checkout"})
_APPS = {"android": "app_android", "ios": "app_ios"}
_NOT_FOUND = 404


class PinterestSettings(DestinationSettings):
    """Which ad account is told, and what of the people."""

    type: Literal["pinterest"] = "pinterest"
    base_url: BaseUrl = "https://api.pinterest.com/v5"
    """Where Pinterest's API is, with its version."""
    ad_account_id: Annotated[
        str, like(r"\d{1,18}", 'write the digits of the ad account\'s id in quotes, like "549755885175"')
    ]
    """Id of the ad account."""
    access_token: Annotated[SecretStr, Field(min_length=1)]
    """Conversion access token."""
    test: bool = False
    """Pinterest answers as always, shows the events under Test events, and records none."""
    events: dict[str, EventName] = Field(default={})
    """Names of your tracks and the event of Pinterest's that each is."""
    currency: Currency = "USD"
    """Of values whose event names none, ISO 4217."""
    phone_country: AnyCountry = ""
    """Country of phone numbers without a country code whose person's country is not known, ISO 3166 ("DE"). Empty: they
    are left out."""
    action_source: Literal["web", "offline"] = "web"
    """What Pinterest is told of events that come from neither a page nor an app: `web` or `offline`."""
    limited_data_processing: bool = False
    """Set the flag of Limited Data Processing for every event. A single event can set it, too."""
    max_age: Duration = USUAL_MAX_AGE_S
    """Events older than this, 7 days, become dead letters instead of being sent; Pinterest itself names no limit."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS, max_bytes=1_000_000)
    """Events in one request; Pinterest takes no more than 1,000."""


def map_event(event: Event, settings: PinterestSettings) -> Sequence[Message]:
    """One event, if it has what Pinterest must have to tell whose it is."""
    if event["type"] not in ("page", "track"):
        return []
    person = _user_data(event, options(event, TITLE), settings.phone_country)
    is_of_somebody = "em" in person or "hashed_maids" in person
    if not is_of_somebody and not {"client_ip_address", "client_user_agent"} <= person.keys():
        return []
    name = "page_visit" if event["type"] == "page" else _track_name(event, settings)
    page = fields.web_url(event)
    app = None if page else _APPS.get((text(event, "context.device.type") or "").lower())
    body = present(
        event_name=name,
        action_source=app or ("web" if page else settings.action_source),
        event_time=fields.seconds(event),
        event_id=text(event, "properties.event_id") or event["messageId"],
        event_source_url=page,
        language=(text(event, "context.locale") or "")[:2].lower(),
        user_data=person,
        custom_data=_custom_data(event, name, settings),
    )
    return [Message(body | (_app(event) if app else {}))]


def _track_name(event: Event, settings: PinterestSettings) -> EventName:
    own, spec = fields.name(event), commerce.spec_name(event)
    return settings.events.get(own) or settings.events.get(spec) or STANDARD_EVENTS.get(spec, "custom")


def _user_data(event: Event, said: Mapping[str, Any], phone_country: str) -> dict[str, Any]:
    hashes = people.hashes(event, phone_country) | present(
        external_id=people.sha256(text(event, "userId", "anonymousId")),
        hashed_maids=people.sha256((fields.advertising_id(event) or "").lower()),
    )
    known: dict[str, Any] = {key: [value] for key, value in hashes.items()}
    return known | present(
        client_ip_address=text(event, "context.ip"),
        client_user_agent=text(event, "context.userAgent"),
        click_id=text(said, "click_id") or cookie(event, "_epik") or click_id(event, "epik"),
    )


def _app(event: Event) -> dict[str, Any]:
    return present(
        app_id=text(event, "context.app.id", "context.app.namespace"),
        app_name=text(event, "context.app.name"),
        app_version=text(event, "context.app.version"),
        device_brand=text(event, "context.device.manufacturer"),
        device_model=text(event, "context.device.model"),
        device_type=text(event, "context.device.type"),
        device_carrier=text(event, "context.network.carrier"),
        os_version=text(event, "context.os.version"),
    )


def _custom_data(event: Event, name: str, settings: PinterestSettings) -> dict[str, Any]:
    listed = [product for product in commerce.products(event) if product.id]
    alone = listed[0] if len(listed) == 1 else None
    said = number(event, "properties.revenue", "properties.value", "properties.total")
    cost = commerce.cost(commerce.products(event)) if name in _WORTH_THE_PRODUCTS else None
    value = cost if said is None else said
    limited = options(event, TITLE).get("limited_data_processing")
    is_limited = limited if isinstance(limited, bool) else settings.limited_data_processing
    return present(
        value=as_text(value),
        currency=None if value is None else commerce.currency(event, settings.currency),
        content_ids=[product.id for product in listed],
        contents=[_content(product) for product in listed],
        content_name=alone.name if alone else None,
        content_category=alone.category if alone else text(event, "properties.category"),
        content_brand=alone.brand if alone else None,
        num_items=commerce.quantity(listed) if listed and name in _COUNTED else None,
        order_id=commerce.order_id(event),
        search_string=text(event, "properties.query") if name == "search" else None,
        opt_out_type="LDP" if is_limited else None,
    )


def _content(product: Product) -> dict[str, Any]:
    return present(
        id=product.id,
        item_name=product.name,
        item_category=product.category,
        item_brand=product.brand,
        item_price=as_text(product.price),
        quantity=product.quantity or 1,
    )


def request(payloads: Sequence[Payload], settings: PinterestSettings, _sending: Sending) -> Request:
    """All of them in `data`."""
    return Request(
        f"{settings.base_url}/ad_accounts/{settings.ad_account_id}/events{'?test=true' if settings.test else ''}",
        b'{"data":[' + b",".join(payload.body for payload in payloads) + b"]}",
        {
            "authorization": f"Bearer {settings.access_token.get_secret_value()}",
            "content-type": "application/json",
        },
    )


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """Pinterest answers for each event, in their order, with the status 200 or, where it refused one, 422."""
    events = answer(response).get("events")
    if isinstance(events, list) and len(events) == len(payloads):
        return Partial([_verdict(each) for each in events])
    if response.status == _NOT_FOUND:
        return Halt("HTTP 404: Pinterest knows no such ad account")
    return classify_by_status(response)


def _verdict(event: Any) -> Delivered | Reject:
    if not isinstance(event, Mapping) or event.get("status") != "failed":
        return Delivered()
    return Reject(f"Pinterest: {text(event, 'error_message') or 'failed'}"[:MAX_REASON_LENGTH])


PINTEREST = Destination(
    settings=PinterestSettings,
    title=TITLE,
    category="marketing",
    map=map_event,
    request=request,
    classify=classify,
    max_batch_events=lambda settings, _key: MAX_TEST_EVENTS if settings.test else MAX_BATCH_EVENTS,
    unasked="no request is known to try this token without sending an event",
)
