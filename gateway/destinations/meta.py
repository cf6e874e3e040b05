"""Meta (Facebook, Instagram): the Conversions API.

Page views, screens and tracks are server events, with what is known of their person; identify, group and alias have no
counterpart. Source: Meta's Conversions API, "Using the API" (address, batches, ages, test events), "Server event
parameters", "App data parameters", "Deduplicate Pixel and server events" and "Data processing options"; "Handling
errors" of the Graph API, "Error codes" and "Rate limiting" of the Marketing API. meta_person.py and meta_commerce.py
name theirs.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import AnyCountry, Currency, like
from gateway.config.units import BaseUrl
from gateway.destinations import commerce, fields
from gateway.destinations.classify import answer, classify_by_status, retry_after_s
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import find, present, text
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.meta_commerce import STANDARD_EVENTS, custom_data
from gateway.destinations.meta_person import user_data
from gateway.govern.integrations import options
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry

TITLE = "Facebook Conversions API"
PAGE_VIEW = "PageView"
MAX_BATCH_EVENTS = 1000
MAX_AGE_S = 7 * 86_400
MAX_NAME_LENGTH = 50
MAX_REASON_LENGTH = 300

_APP_PLATFORMS = {"android": "a2", "ios": "i2"}
"""By `context.device.type`: what Meta calls the format of `extinfo`."""
_EXTINFO = (
    "context.app.namespace",
    "context.app.build",
    "context.app.version",
    "context.os.version",
    "context.device.model",
    "context.locale",
    "",  # the time zone's abbreviation
    "context.network.carrier",
    "context.screen.width",
    "context.screen.height",
    "context.screen.density",
    "",  # processor cores
    "",  # size of the storage
    "",  # free storage
    "context.timezone",
)
"""Meta reads `extinfo` by position; what is not known is an empty text."""
_FIRST_STATE = 1000
"""California; the states of the United States for which Meta has a number follow."""

_THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80_000, 80_015)})
_TEMPORARY = frozenset({1, 2, 368, 5000, 21_009})
_OWNERS = frozenset({3, 10, 102, 104, 190, *range(200, 300), 2635})
"""Tokens and permissions, and a version of the API that is no more: nothing succeeds until the owner acts."""
_NO_SUCH_PIXEL = (100, 33)
_TOKEN = re.compile(r"\w{40,}")


class MetaSettings(DestinationSettings):
    """Which pixel is told, and what of the people."""

    type: Literal["meta"] = "meta"
    base_url: BaseUrl = "https://graph.facebook.com"
    """Where the Graph API is."""
    api_version: Annotated[str, like(r"v\d{1,3}\.\d{1,2}", 'write a version, like "v25.0"')] = "v25.0"
    """Version of the Graph API. Meta keeps each for at least two years."""
    pixel_id: Annotated[
        str, like(r"\d{1,32}", 'write the digits that Events Manager shows in quotes, like "123456789012345"')
    ]
    """Id of the pixel or dataset."""
    access_token: Annotated[SecretStr, Field(min_length=1)]
    """Token of the pixel or dataset."""
    test_event_code: Annotated[
        str, like(r"[A-Za-z0-9_-]*", 'write the code that Events Manager shows, like "TEST12345"')
    ] = ""
    """Shows the events in Events Manager under Test events. They count all the same: remove it afterwards."""
    events: dict[str, str] = Field(default={})
    """Names of your tracks and what Meta is told instead: a standard event of Meta's, or a name of your own."""
    currency: Currency = "USD"
    """Of values whose event names none, ISO 4217."""
    phone_country: AnyCountry = ""
    """Country of phone numbers without a country code whose person's country is not known, ISO 3166 ("DE"). Empty: they
    are left out."""
    content_type: Literal["product", "product_group"] = "product"
    """What your product ids are in Meta's catalogue: `product`, or `product_group` for ids of groups."""
    action_source: Literal[
        "other", "email", "phone_call", "chat", "physical_store", "system_generated", "business_messaging"
    ] = "other"
    """What Meta is told of events that come from neither a page nor an app, as from servers: one of Meta's own words,
    like `physical_store` or `phone_call`."""
    limited_data_use: bool = False
    """Ask Meta for Limited Data Use for every event. A single event can ask for it, too."""
    data_processing_country: Literal[0, 1] = 0
    """Where the people are whose data are limited: 1 the United States, 0 that Meta finds out by their IP address."""
    data_processing_state: Annotated[int, Field(ge=0, le=9999)] = 0
    """Meta's number of the state (1000 is California), 0 that Meta finds out."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS, max_bytes=2_000_000)
    """Events in one request; Meta takes no more than 1,000."""

    @model_validator(mode="after")
    def _a_state_is_of_a_country(self) -> Self:
        state = self.data_processing_state
        if state and (state < _FIRST_STATE or not self.data_processing_country):
            raise ValueError("data_processing_state is 0, or 1000 and more together with data_processing_country = 1")
        return self


def map_event(event: Event, settings: MetaSettings) -> Sequence[Message]:
    """One server event, if Meta could tell whose it is."""
    name = _name(event, settings)
    said = options(event, TITLE)
    person = user_data(event, said, settings.phone_country) if name else {}
    if not person:
        return []
    source = _action_source(event, settings)
    is_website = source == "website"
    custom = {} if name == PAGE_VIEW else custom_data(event, name, settings.currency, settings.content_type)
    body = present(
        event_name=name[:MAX_NAME_LENGTH],
        event_time=fields.seconds(event),
        event_id=text(event, "properties.event_id") or event["messageId"],
        action_source=source,
        event_source_url=fields.web_url(event) if is_website else None,
        referrer_url=fields.referrer(event) if is_website else None,
        user_data=person,
        custom_data=custom,
        app_data=_app_data(event) if source == "app" else None,
    )
    repairs = ("event_name_cut",) if len(name) > MAX_NAME_LENGTH else ()
    return [Message(body | _data_processing(said, settings), repairs=repairs)]


def _name(event: Event, settings: MetaSettings) -> str:
    """In Meta's words; empty where Meta has none."""
    own = fields.name(event)
    if event["type"] == "page":
        return PAGE_VIEW
    if event["type"] == "screen":
        return " ".join(filter(None, ("Viewed", own, "Screen")))
    if event["type"] != "track":
        return ""
    spec = commerce.spec_name(event)
    return settings.events.get(own) or settings.events.get(spec) or STANDARD_EVENTS.get(spec, own)


def _action_source(event: Event, settings: MetaSettings) -> str:
    """`website` and `app` where the event has what Meta then requires."""
    if fields.web_url(event) and text(event, "context.userAgent"):
        return "website"
    if _platform(event) and text(event, "context.os.version"):
        return "app"
    return settings.action_source


def _platform(event: Event) -> str | None:
    return _APP_PLATFORMS.get((text(event, "context.device.type") or "").lower())


def _app_data(event: Event) -> dict[str, Any]:
    may_track = int(find(event, "context.device.adTrackingEnabled") is True)
    return {
        "advertiser_tracking_enabled": may_track,
        "application_tracking_enabled": may_track,
        "extinfo": [_platform(event), *(text(event, path) or "" for path in _EXTINFO)],
    }


def _data_processing(said: Mapping[str, Any], settings: MetaSettings) -> dict[str, Any]:
    wanted = said.get("limited_data_use")
    if not (wanted if isinstance(wanted, bool) else settings.limited_data_use):
        return {}
    return {
        "data_processing_options": ["LDU"],
        "data_processing_options_country": settings.data_processing_country,
        "data_processing_options_state": settings.data_processing_state,
    }


def request(payloads: Sequence[Payload], settings: MetaSettings, _sending: Sending) -> Request:
    """All of them in `data`; the token travels in a header, where no log of addresses sees it."""
    data = b",".join(payload.body for payload in payloads)
    test = f',"test_event_code":"{settings.test_event_code}"' if settings.test_event_code else ""
    return Request(
        f"{settings.base_url}/{settings.api_version}/{settings.pixel_id}/events",
        b'{"data":[' + data + b"]" + test.encode() + b"}",
        {
            "authorization": f"Bearer {settings.access_token.get_secret_value()}",
            "content-type": "application/json",
        },
    )


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """By the code of the Graph API, whatever the status; one event at fault sinks the request."""
    told = answer(response)
    by_status = classify_by_status(response)
    received = told.get("events_received")
    if isinstance(by_status, Delivered) and isinstance(received, int) and received < len(payloads):
        return Reject(f"Meta received {received} of {len(payloads)} events")
    error = told.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(code, int):
        return by_status
    reason = _reason(error)
    if code in _THROTTLED or code in _TEMPORARY or code < 0:
        return Retry(reason, retry_after_s(response))
    if code in _OWNERS or (code, error.get("error_subcode")) == _NO_SUCH_PIXEL:
        return Halt(reason)
    if isinstance(by_status, Retry) or error.get("is_transient") is True:
        return Retry(reason, retry_after_s(response))
    return Halt(reason) if isinstance(by_status, Halt) else Reject(reason)


def _reason(error: Mapping[str, Any]) -> str:
    """Meta's words, in which tokens are quoted now and then."""
    codes = "/".join(filter(None, (text(error, "code"), text(error, "error_subcode"))))
    words = (text(error, key) for key in ("error_user_title", "error_user_msg", "message"))
    said = "; ".join(filter(None, (f"Meta {codes}", *words)))
    return _TOKEN.sub("...", said)[:MAX_REASON_LENGTH]


META = Destination(
    settings=MetaSettings,
    title=TITLE,
    category="marketing",
    map=map_event,
    request=request,
    classify=classify,
    max_batch_events=MAX_BATCH_EVENTS,
    max_age_s=MAX_AGE_S,
    unasked="no request is known to try this token without sending an event",
)
