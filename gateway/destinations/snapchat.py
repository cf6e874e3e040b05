"""Snap's Conversions API, version 3: conversions of the site for its pixel, and of apps for the Snap App ID.

Source: Snap's pages "Conversions API: Introduction" (age), "Using the API", "Parameters", "Deduplication" and "Verify
Set Up" (what is required), and the models of Snap's Business SDK for version 3 (answers).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import AnyCountry, Currency, like
from gateway.config.units import BaseUrl
from gateway.destinations import commerce, fields, people
from gateway.destinations.classify import answer, classify_in_words
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.govern.integrations import options
from gateway.model.event import Event
from gateway.model.outcome import Halt, Outcome, Reject

TITLE = "Snap Conversions API"
MAX_BATCH_EVENTS = 2000
MAX_BATCH_BYTES = 2_000_000
MAX_AGE_S = 37 * 86_400
BAD_REQUEST = 400

EventName = Literal[
    "PAGE_VIEW", "VIEW_CONTENT", "LIST_VIEW", "SEARCH", "ADD_CART", "ADD_TO_WISHLIST", "START_CHECKOUT", "ADD_BILLING",
    "PURCHASE", "SIGN_UP", "LOGIN", "SUBSCRIBE", "START_TRIAL", "SAVE", "SHARE", "RATE", "INVITE", "RESERVE", "AD_VIEW",
    "AD_CLICK", "COMPLETE_TUTORIAL", "LEVEL_COMPLETE", "ACHIEVEMENT_UNLOCKED", "SPENT_CREDITS", "APP_INSTALL",
    "APP_OPEN", "CUSTOM_EVENT_1", "CUSTOM_EVENT_2", "CUSTOM_EVENT_3", "CUSTOM_EVENT_4", "CUSTOM_EVENT_5",
]  # fmt: skip

EVENT_NAMES: Mapping[str, EventName] = {
    "Products Searched": "SEARCH",
    "Product List Viewed": "LIST_VIEW",
    "Promotion Viewed": "AD_VIEW",
    "Promotion Clicked": "AD_CLICK",
    "Product Viewed": "VIEW_CONTENT",
    "Product Added": "ADD_CART",
    "Product Added to Wishlist": "ADD_TO_WISHLIST",
    "Checkout Started": "START_CHECKOUT",
    "Payment Info Entered": "ADD_BILLING",
    "Order Completed": "PURCHASE",
    "Product Shared": "SHARE",
    "Cart Shared": "SHARE",
    "Product Reviewed": "RATE",
    "Signed Up": "SIGN_UP",
    "Signed In": "LOGIN",
    "Subscription Created": "SUBSCRIBE",
    "Trial Started": "START_TRIAL",
    "Invite Sent": "INVITE",
    "Application Installed": "APP_INSTALL",
    "Application Opened": "APP_OPEN",
}

OF_APPS_ALONE = frozenset({"APP_INSTALL", "APP_OPEN"})


class SnapchatSettings(DestinationSettings):
    """Whose conversions they are, and how they are named."""

    type: Literal["snapchat"] = "snapchat"
    base_url: BaseUrl = "https://tr.snapchat.com"
    """Where the API is."""
    pixel_id: Annotated[
        str,
        like(r"[A-Za-z0-9-]+", 'write the id that Events Manager shows, like "1b2c3d4e-5f60-7182-93a4-b5c6d7e8f901"'),
    ]
    """The Pixel ID, to which the events of the site belong."""
    snap_app_id: Annotated[str, like(r"[A-Za-z0-9-]*", 'write letters, digits and - alone, like "1b2c3d4e"')] = ""
    """The Snap App ID, to which the events of your app belong. Empty: events of apps are not sent."""
    access_token: Annotated[SecretStr, Field(min_length=1)]
    """The Conversions API token."""
    site_url: BaseUrl
    """Your site's address, given for events that have no page, like those of a server: Snap refuses events without."""
    action_source: Literal["WEB", "OFFLINE"] = "WEB"
    """Where events that are not of an app happened. `OFFLINE`: points of sale and the like."""
    events: dict[str, EventName] = Field(default={})
    """Your own event names, each with one of Snap's, like `START_TRIAL` or `CUSTOM_EVENT_1`. They come before the
    table below."""
    default_currency: Currency = "USD"
    """Of amounts that come without a currency: ISO 4217, like `EUR`."""
    default_country: AnyCountry = ""
    """Of phone numbers without a country code, where the person's country is not known: ISO 3166, like `DE`. Empty:
    such numbers are not sent."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS, max_bytes=MAX_BATCH_BYTES)
    """Snap takes up to 2,000 events at once."""


def map_event(event: Event, settings: SnapchatSettings) -> Sequence[Message]:
    """A conversion; nothing where there is no counterpart, or nothing that Snap knows a person by."""
    is_of_app = bool(fields.platform(event))
    asset_id = settings.snap_app_id if is_of_app else settings.pixel_id
    name, user = _named(event, settings), _user_data(event, settings)
    if name is None or not asset_id or not _is_enough(user) or (name in OF_APPS_ALONE and not is_of_app):
        return []
    happened_ms = fields.milliseconds_until_receipt(event)
    body = fields.present(
        event_name=name,
        event_time=happened_ms,
        event_id=fields.text(event, "properties.event_id", "messageId"),
        action_source="MOBILE_APP" if is_of_app else settings.action_source,
        event_source_url=fields.url(event) or settings.site_url,
        user_data=user,
        custom_data=_custom_data(event, name, settings),
        app_data=_app_data(event) if is_of_app else None,
        data_processing_options=_data_processing_options(event),
    )
    return [Message(body, asset_id, ["future_time"] if happened_ms < fields.milliseconds(event) else [])]


def _named(event: Event, settings: SnapchatSettings) -> EventName | None:
    """Snap's name for it; None where it has none."""
    kind, name = event["type"], fields.name(event)
    if kind in ("page", "screen"):
        return settings.events.get(name, "PAGE_VIEW")
    if kind != "track":
        return None
    spec_name = commerce.spec_name(event)
    return settings.events.get(name) or settings.events.get(spec_name) or EVENT_NAMES.get(spec_name)


def _user_data(event: Event, settings: SnapchatSettings) -> dict[str, Any]:
    """By what Snap knows the person: names and addresses hashed, what only machines say as it is."""
    person = people.person_of(event)
    country = people.country_code(person.country)
    of_app = fields.platform(event)
    advertising_id = fields.advertising_id(event) if of_app else None
    hashed = {
        "em": people.email(person.email),
        "ph": people.phone_digits(person.phone, country or settings.default_country),
        "fn": people.name(person.first_name),
        "ln": people.name(person.last_name),
        "ge": people.gender(person.gender),
        "ct": people.place(person.city),
        "st": people.place(person.state),
        "zp": people.postal_code(person.postal_code, person.country),
        "country": country,
    }
    return fields.present(
        **{key: [people.sha256(value)] for key, value in hashed.items() if value},
        external_id=people.sha256(fields.text(event, "userId", "anonymousId")),
        client_ip_address=fields.text(event, "context.ip"),
        client_user_agent=fields.text(event, "context.userAgent"),
        sc_click_id=fields.click_id(event, "ScCid"),
        sc_cookie1=fields.cookie(event, "_scid"),
        madid=advertising_id.lower() if advertising_id else None,
        idfv=fields.text(event, "context.device.id") if of_app == "ios" else None,
    )


def _is_enough(user: Mapping[str, Any]) -> bool:
    """Whether Snap takes it: an email address, a phone number, an advertising id, or IP address and browser."""
    return bool(user.keys() & {"em", "ph", "madid"}) or {"client_ip_address", "client_user_agent"} <= user.keys()


def _custom_data(event: Event, name: EventName, settings: SnapchatSettings) -> dict[str, Any]:
    """The amount and the products. Raises ValueError for a purchase without amount, which Snap refuses."""
    listed = commerce.products(event)
    said = commerce.value(event)
    value = said if said is not None and said >= 0 else None
    if name == "PURCHASE" and value is None:
        raise ValueError("Snap takes no purchase without an amount; give the order a total, or its products prices")
    categories = {each.category for each in listed if each.category}
    return fields.present(
        value=value,
        currency=commerce.currency(event, settings.default_currency) if value is not None else None,
        order_id=commerce.order_id(event),
        content_ids=[each.id for each in listed if each.id],
        content_category=categories.pop() if len(categories) == 1 else None,
        num_items=fields.whole(commerce.quantity(listed)) if listed else None,
        contents=[_content(each) for each in listed if each.id],
        search_string=fields.text(event, "properties.query") if name == "SEARCH" else None,
        sign_up_method=fields.text(event, "properties.method") if name == "SIGN_UP" else None,
    )


def _content(each: commerce.Product) -> dict[str, Any]:
    """Snap's pages and models have texts here, also for numbers."""
    return fields.present(
        id=each.id, quantity=fields.as_text(each.quantity), item_price=fields.as_text(each.price), brand=each.brand
    )


def _app_data(event: Event) -> dict[str, Any]:
    """The app and the phone, in the order of Snap's table; what is not known is an empty text."""
    is_allowed = fields.find(event, "context.device.adTrackingEnabled")
    known = (
        "app.namespace", "app.build", "app.version", "os.version", "device.model", "locale", "", "network.carrier",
        "screen.width", "screen.height", "screen.density", "", "", "", "timezone",
    )  # fmt: skip
    values = [fields.text(event, f"context.{path}") or "" if path else "" for path in known]
    return fields.present(
        app_id=fields.text(event, "context.app.namespace"),
        advertiser_tracking_enabled=int(is_allowed) if isinstance(is_allowed, bool) else None,
        extinfo=["i2" if fields.platform(event) == "ios" else "a2", *values],
    )


def _data_processing_options(event: Event) -> list[str]:
    """What the sender says to Snap about limits of use."""
    said = options(event, TITLE).get("data_processing_options")
    return [each for each in said if isinstance(each, str)] if isinstance(said, list) else []


def request(payloads: Sequence[Payload], settings: SnapchatSettings, _sending: Sending) -> Request:
    """All events of the pixel, or all of the app; the key says which."""
    body = b'{"data":[' + b",".join(payload.body for payload in payloads) + b"]}"
    address = _address(settings, f"{payloads[0].key}/events")
    return Request(address, body, {"content-type": "application/json"})


def _address(settings: SnapchatSettings, path: str) -> str:
    token = quote(settings.access_token.get_secret_value(), safe="")
    return f"{settings.base_url}/v3/{path}?access_token={token}"


def classify(response: Response, _payloads: Sequence[Payload]) -> Outcome:
    """A refusal may come as 200 with the status INVALID. It is of the whole request: the place that Snap gives beside
    it is not documented well enough to blame an event for it. A refused token comes as 400, too; what is said of it is
    not repeated, for it may hold the token."""
    said = answer(response)
    words = _words(said)
    if response.status == BAD_REQUEST and "token" in words.lower():
        return Halt(f"HTTP {BAD_REQUEST}: the access token was refused")
    outcome = classify_in_words(response, words)
    if said.get("status") == "INVALID" and response.status // 100 == 2:  # noqa: PLR2004 - the class of success
        return Reject(": ".join(filter(None, ["INVALID", words])))
    return outcome


def _words(said: Mapping[str, Any]) -> str:
    messages = fields.find(said, "errors.error_msgs")
    listed = [fields.as_text(each) or "" for each in messages] if isinstance(messages, list) else []
    return "; ".join(filter(None, [fields.text(said, "reason"), *listed]))[:300]


def probe(settings: SnapchatSettings) -> Request:
    """How many events came in the past hour: shows a wrong id or token, and changes nothing."""
    return Request(_address(settings, f"{settings.pixel_id}/events/validate/stats"), b"", method="GET")


SNAPCHAT = Destination(
    settings=SnapchatSettings,
    title=TITLE,
    map=map_event,
    request=request,
    classify=classify,
    category="marketing",
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    max_age_s=MAX_AGE_S,
    probe=probe,
)
