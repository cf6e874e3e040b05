"""Google Ads: what the owner calls a conversion, with the click that led to it or the hashed person, and its refund. By
the Data Manager API, or for accounts that did so before June 2026 by the Google Ads API.

Source: Data Manager API, "Send events" (offline conversions), "Conversion adjustments", "Limits and quotas"; Google Ads
API, "Import conversions", "Import conversion adjustments", "Call structure" (headers), "Developer token" (ended on 9
September 2026); the Google Ads developer blog of 15 May 2026, by which new users have the Data Manager API alone.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, Field, SecretStr, model_validator

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import OR_EMPTY, AnyCountry, Currency, Digits, like
from gateway.config.units import BaseUrl
from gateway.destinations import commerce, google_ads_bodies
from gateway.destinations.contract import Destination, Grant, Message, Payload, Sending
from gateway.destinations.fields import find, name
from gateway.destinations.google import AD_PERSONALIZATION, AD_USER_DATA, consent_of, read_token, refreshing
from gateway.destinations.google_ads_answers import classify
from gateway.destinations.google_ads_bodies import Conversion, Feed, Kind, conversion_of
from gateway.destinations.http_messages import Request
from gateway.model.event import Event

MAX_BATCH_EVENTS = 2000
MAX_UPLOADS = 50
"""The Google Ads API takes 2000 too. But it says something of each, and of an answer only the first 64 KiB are read."""
MAX_AGE_S = 90 * 86_400
"""No conversion action looks back further to a click."""
HOSTS = {"data_manager": "https://datamanager.googleapis.com", "google_ads": "https://googleads.googleapis.com"}
VERSIONS = {"data_manager": "v1", "google_ads": "v26"}

UPLOADS = "uploadClickConversions"
ADJUSTMENTS = "uploadConversionAdjustments"
_MEMBERS = {UPLOADS: b"conversions", ADJUSTMENTS: b"conversionAdjustments"}

CustomerId = Annotated[
    str,
    like(r"\d{3}-?\d{3}-?\d{4}", 'write the ten digits that Google Ads shows, like "123-456-7890"'),
    AfterValidator(lambda customer_id: customer_id.replace("-", "")),
]
ActionId = Annotated[
    str, like(r"\d{1,19}", 'write the digits of the conversion action\'s id in quotes, like "123456789"')
]


class GoogleAdsSettings(DestinationSettings):
    """An account, how to reach it, and what in it is a conversion."""

    type: Literal["google_ads"] = "google_ads"
    api: Literal["data_manager", "google_ads"] = "data_manager"
    """The Data Manager API, or the Google Ads API, which since June 2026 is closed to those who had not used it."""
    base_url: Annotated[BaseUrl, OR_EMPTY] = ""
    """Where the API is. Empty: where Google has it."""
    api_version: Annotated[str, like(r"(v\d+)?", 'write a version, like "v21", or ""')] = ""
    """Of the API, such as `v26`: each version of the Google Ads API ends after a year. Empty: `v1` of the Data Manager
    API, `v26` of the Google Ads API."""
    token_url: BaseUrl = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    """Where access tokens are had."""
    client_id: str
    """Of the OAuth client in your Google Cloud project."""
    client_secret: SecretStr
    """Of the OAuth client."""
    refresh_token: SecretStr
    """Of a Google user who has access to the account, with the scope `datamanager`, or `adwords` for the Google Ads
    API."""
    developer_token: SecretStr = SecretStr("")
    """Only for the Google Ads API, which has not needed it since September 2026."""
    customer_id: CustomerId
    """Of the account that has the conversion actions: ten digits."""
    login_customer_id: Annotated[CustomerId, OR_EMPTY] = ""
    """Of the manager account through which the user has access, if it is one."""
    conversions: dict[str, ActionId] = Field(default={})
    """Tracks that are conversions, each with the id of its conversion action: `{ "Order Completed" = "123456789" }`."""
    adjustments: dict[str, ActionId] = Field(default={})
    """Tracks that take back a conversion or change its value: `{ "Order Refunded" = "123456789" }`."""
    currency: Currency = "USD"
    """What amounts are in where an event does not say it (ISO 4217)."""
    country: AnyCountry = ""
    """Where telephone numbers without a country code are from (ISO 3166), unless the person's address says it. Empty:
    such a number is not told."""
    merchant_id: Digits = ""
    """Of the Merchant Center account that has the products. Empty: products are not told."""
    feed_country: str = ""
    """Of the feed with the products: its country, or by the Data Manager API its label."""
    feed_language: str = ""
    """Of the feed with the products (ISO 639-1)."""
    ad_user_data: tuple[str, ...] = ("marketing",)
    """Categories of `context.consent` of which a visitor must have granted all for Google to use the data for ads."""
    ad_personalization: tuple[str, ...] = ("marketing",)
    """The same for personalised ads."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS, max_bytes=4_000_000)
    """Conversions and bytes of one request; the Google Ads API has 50 conversions at most."""

    @model_validator(mode="after")
    def _something_is_told(self) -> Self:
        if not (self.conversions or self.adjustments):
            raise ValueError('nothing would be told; write conversions = { "Order Completed" = "ID" }')
        return self

    @property
    def root(self) -> str:
        """The API's address with its version."""
        return f"{self.base_url or HOSTS[self.api]}/{self.api_version or VERSIONS[self.api]}"


def map_event(event: Event, settings: GoogleAdsSettings) -> Sequence[Message]:
    """A conversion or an adjustment, where the owner calls the event one and Google could know whose it is."""
    kind, action = _meant(event, settings)
    if not action:
        return []
    if kind != "CONVERSION" and commerce.order_id(event) is None:
        raise ValueError("an adjustment needs an order_id: by it Google finds the conversion")
    categories = {AD_USER_DATA: settings.ad_user_data, AD_PERSONALIZATION: settings.ad_personalization}
    consent = consent_of(event, categories)
    conversion = conversion_of(event, kind, action, settings.currency, settings.country, consent)
    if settings.api == "google_ads" and kind != "CONVERSION":
        return [Message(google_ads_bodies.adjustment(conversion, settings.customer_id), ADJUSTMENTS)]
    if not google_ads_bodies.is_known(conversion):
        return []
    return [_message(conversion, settings)]


def request(payloads: Sequence[Payload], settings: GoogleAdsSettings, sending: Sending) -> Request:
    """To the method that the key names; of the Data Manager API it names the conversion action."""
    headers = {"content-type": "application/json", "authorization": f"Bearer {sending.token}"}
    listed = b",".join(payload.body for payload in payloads)
    key = payloads[0].key
    if key in _MEMBERS:
        body = b'{"' + _MEMBERS[key] + b'":[' + listed + b'],"partialFailure":true}'
        url = f"{settings.root}/customers/{settings.customer_id}:{key}"
        return Request(url, body, {**headers, **_account_headers(settings)})
    action = key.partition(" ")[0]
    shared = orjson.dumps({"destinations": [_destination(settings, action)], "encoding": "HEX"})
    return Request(f"{settings.root}/events:ingest", shared[:-1] + b',"events":[' + listed + b"]}", headers)


def grant_request(settings: GoogleAdsSettings) -> Request:
    """Refreshes the access token; also what `headwater check` tries, since nothing is changed by it."""
    secret, token = settings.client_secret.get_secret_value(), settings.refresh_token.get_secret_value()
    return refreshing(settings.token_url, settings.client_id, secret, token)


def _meant(event: Event, settings: GoogleAdsSettings) -> tuple[Kind, str]:
    """What the owner calls the event, by its own name or the spec's, and the conversion action; "" for nothing."""
    if event["type"] != "track":
        return "CONVERSION", ""
    for said in (name(event), commerce.spec_name(event)):
        if said in settings.conversions:
            return "CONVERSION", settings.conversions[said]
        if said in settings.adjustments:
            is_changed = find(event, "properties.adjusted_value") is not None or said == "Order Updated"
            return "RESTATEMENT" if is_changed else "RETRACTION", settings.adjustments[said]
    return "CONVERSION", ""


def _message(conversion: Conversion, settings: GoogleAdsSettings) -> Message:
    feed = Feed(settings.merchant_id, settings.feed_country, settings.feed_language)
    if settings.api == "google_ads":
        return Message(google_ads_bodies.upload(conversion, settings.customer_id, feed), UPLOADS)
    # An order and its refund are one transaction to Google, so they never share a request.
    return Message(google_ads_bodies.ingested(conversion, feed), f"{conversion.action} {conversion.kind}")


def _account_headers(settings: GoogleAdsSettings) -> dict[str, str]:
    found = {
        "developer-token": settings.developer_token.get_secret_value(),
        "login-customer-id": settings.login_customer_id,
    }
    return {header: value for header, value in found.items() if value}


def _destination(settings: GoogleAdsSettings, action: str) -> dict[str, Any]:
    accounts = {"operatingAccount": settings.customer_id, "loginAccount": settings.login_customer_id}
    known = {role: {"accountType": "GOOGLE_ADS", "accountId": each} for role, each in accounts.items() if each}
    return {**known, "productDestinationId": action}


GOOGLE_ADS = Destination(
    settings=GoogleAdsSettings,
    title="Google Ads Conversions",
    map=map_event,
    request=request,
    classify=classify,
    category="marketing",
    max_batch_events=lambda _settings, key: MAX_UPLOADS if key in _MEMBERS else MAX_BATCH_EVENTS,
    max_age_s=MAX_AGE_S,
    probe=grant_request,
    grant=Grant(request=grant_request, read=read_token),
)
