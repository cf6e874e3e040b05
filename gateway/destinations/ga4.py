"""Google Analytics 4 by the Measurement Protocol: the calls and events of the Segment spec as GA4's recommended events
and custom ones, with the client, the session and the consent that they belong to.

GA4 answers 2xx whatever it is sent, so what it takes is decided here (ga4_contract.py). One request is about one
client: the key of a message is the part that all of a request's events share.

Source: developers.google.com/analytics, "Measurement Protocol reference", "Send Measurement Protocol events" (limits,
time stamps, consent), "Validate events" and "Measurement Protocol use cases" (72 hours).
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

import orjson
from pydantic import Field, SecretStr, model_validator

from gateway.config import DestinationSettings
from gateway.config.texts import Currency, like
from gateway.config.units import BaseUrl
from gateway.destinations import ga4_events, ga4_visitor
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import find, present, text
from gateway.destinations.ga4_contract import MAX_USER_ID, Repairs, fit_event, fit_user_properties, in_order, is_address
from gateway.destinations.google import AD_PERSONALIZATION, AD_USER_DATA, consent_of, happened_ms
from gateway.destinations.http_messages import Request
from gateway.govern.integrations import options
from gateway.model.event import Event

MAX_BATCH_EVENTS = 25
MAX_SHARED_BYTES = 16_000
"""What the shared part of a request comes to at most: 25 user properties, a user agent, ids."""
MAX_BATCH_BYTES = 130_000 - MAX_SHARED_BYTES
MAX_AGE_S = 72 * 3600
PERSONAL = (
    *("email", "phone", "phoneNumber", "name", "firstName", "lastName", "username", "address", "street", "birthday"),
    *("dateOfBirth", "avatar", "ip"),
)

_GRANTS = {True: "GRANTED", False: "DENIED"}
_JSON = {"content-type": "application/json"}


class Ga4Settings(DestinationSettings):
    """A data stream: of a website, or of an app."""

    type: Literal["ga4"] = "ga4"
    base_url: BaseUrl = "https://www.google-analytics.com"
    """Where the protocol is. `https://region1.google-analytics.com` collects in the European Union."""
    measurement_id: Annotated[str, like(r"(G-[A-Z0-9]+)?", 'write the id of the web stream, like "G-ABC123DEF4"')] = ""
    """Of a web stream: `G-` and letters. This or `firebase_app_id` is required."""
    firebase_app_id: Annotated[
        str,
        like(r"(\d+:\d+:[a-z]+:[0-9A-Za-z]+)?", 'write the id of the app, like "1:1234567890:android:abc123def456"'),
    ] = ""
    """Of an app stream, like `1:1234567890:android:321abc456def7890`."""
    api_secret: SecretStr
    """Of the stream, from its list of Measurement Protocol API secrets."""
    currency: Currency = "USD"
    """What amounts are in where an event does not say it (ISO 4217)."""
    events: dict[str, str] = Field(default={})
    """GA4's names for tracks of yours, such as `{ "Trial Started" = "start_trial" }`. Also in place of the table's."""
    identify_event: str = ""
    """Name of an event that an identify becomes, such as `"login"`, so that its traits arrive at once. Empty: none;
    traits go along with later events that have them in `context.traits`."""
    personal_traits: tuple[str, ...] = PERSONAL
    """Traits that are no user properties, because they say who the person is, however they are written."""
    ad_user_data: tuple[str, ...] = ("marketing",)
    """Categories of `context.consent` of which a visitor must have granted all for Google to use the data for ads."""
    ad_personalization: tuple[str, ...] = ("marketing",)
    """The same for personalised ads."""
    concurrency: int = Field(default=32, ge=1, le=64)
    """Requests at once. Each is about one client, so there are many of them."""
    ip: bool = True
    """Tell the visitor's address where `context.location` has no country: GA4 derives the place from it."""

    @model_validator(mode="after")
    def _there_is_one_stream(self) -> Self:
        if bool(self.measurement_id) == bool(self.firebase_app_id):
            raise ValueError("a stream has either a measurement_id (web) or a firebase_app_id (app); write one of them")
        return self

    @property
    def stream(self) -> str:
        """The web stream's part of the name of gtag's session cookie."""
        return self.measurement_id.removeprefix("G-")


def map_event(event: Event, settings: Ga4Settings) -> Sequence[Message]:
    """One event of GA4, or none."""
    told = ga4_events.told_of(event, settings.events, settings.identify_event)
    if told is None:
        return []
    repairs: Repairs = set()
    name, params = told
    shared = _shared(event, settings, repairs)
    fitted = fit_event(name, {**_session(event, settings), **params}, settings.currency, repairs)
    body = {"name": fitted["name"], "timestamp_micros": 1000 * happened_ms(event), "params": fitted["params"]}
    return [Message(body, orjson.dumps(shared, option=orjson.OPT_SORT_KEYS).decode(), in_order(repairs))]


def request(payloads: Sequence[Payload], settings: Ga4Settings, _sending: Sending) -> Request:
    """The shared part, and the events in it."""
    shared = payloads[0].key.removesuffix("}").encode()
    events = b",".join(payload.body for payload in payloads)
    return Request(_url(settings, "/mp/collect"), shared + b',"events":[' + events + b"]}", _JSON)


def probe(settings: Ga4Settings) -> Request:
    """An event to the validation server, which keeps nothing. It knows neither secrets nor streams."""
    client = {"app_instance_id": "0" * 32} if settings.firebase_app_id else {"client_id": "1.1"}
    events = [{"name": "headwater_check", "params": {"engagement_time_msec": 1}}]
    return Request(_url(settings, "/debug/mp/collect"), orjson.dumps({**client, "events": events}), _JSON)


def _url(settings: Ga4Settings, path: str) -> str:
    """The colons of an app's id stay as they are."""
    stream = (
        f"firebase_app_id={quote(settings.firebase_app_id, safe=':')}"
        if settings.firebase_app_id
        else f"measurement_id={settings.measurement_id}"
    )
    return f"{settings.base_url}{path}?{stream}&api_secret={quote(settings.api_secret.get_secret_value(), safe='')}"


def _shared(event: Event, settings: Ga4Settings, repairs: Repairs) -> dict[str, Any]:
    """All that a request says once for its events."""
    categories = {AD_USER_DATA: settings.ad_user_data, AD_PERSONALIZATION: settings.ad_personalization}
    consent = consent_of(event, categories)
    return {
        **_client(event, settings),
        **present(
            user_id=_user_id(event, repairs),
            user_properties=fit_user_properties(ga4_visitor.plain_traits(event, settings.personal_traits), repairs),
            consent={kind: _GRANTS[answer] for kind, answer in consent.items()},
            **ga4_visitor.surroundings(event, is_app=bool(settings.firebase_app_id), with_ip=settings.ip),
        ),
        **({"non_personalized_ads": True} if _refuses_personal_ads(event, consent) else {}),
    }


def _client(event: Event, settings: Ga4Settings) -> dict[str, str]:
    if settings.firebase_app_id:
        instance = ga4_visitor.app_instance_id(event)
        if instance is None:
            raise ValueError("an app stream needs the app_instance_id of the Firebase SDK, 32 hex digits")
        return {"app_instance_id": instance}
    client = ga4_visitor.client_id(event)
    if client is None:
        raise ValueError("there is no client_id: no _ga cookie, no anonymousId and no userId")
    return {"client_id": client}


def _user_id(event: Event, repairs: Repairs) -> str | None:
    """An id that is too long is left out, because cut it would be another's; so is an email address."""
    user_id = text(event, "userId")
    if user_id is None or (len(user_id) <= MAX_USER_ID and not is_address(user_id)):
        return user_id
    repairs.add("user_id_left_out")
    return None


def _refuses_personal_ads(event: Event, consent: dict[str, bool]) -> bool:
    said = (
        find(options(event, ga4_visitor.TITLE), "nonPersonalizedAds", "non_personalized_ads"),
        find(event, "context.ga4.non_personalized_ads"),
    )
    return True in said or consent.get(AD_PERSONALIZATION) is False


def _session(event: Event, settings: Ga4Settings) -> dict[str, Any]:
    """What every event says, first of all: without it GA4 counts no active user."""
    session = ga4_visitor.session_of(event, settings.stream)
    return {
        **present(session_id=session.id, session_number=int(session.number[:9]) if session.number else None),
        "engagement_time_msec": ga4_visitor.engagement_ms(event),
        **present(**ga4_events.page_params(event)),
    }


GA4 = Destination(
    settings=Ga4Settings,
    title=ga4_visitor.TITLE,
    map=map_event,
    request=request,
    category="analytics",
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    max_age_s=MAX_AGE_S,
    probe=probe,
)
