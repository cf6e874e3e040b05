"""A conversion, and how each of Google's two APIs writes it. Pure.

Source: Google Ads API, "UploadClickConversions" and "UploadConversionAdjustments" (ClickConversion, CartData, Consent,
ConversionAdjustment); Data Manager API, "Method: events.ingest" (Event, UserData, AddressInfo, CartData, Consent) and
"Conversion adjustments"; of both, "Format your data" (what is hashed, and how it is written before).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Literal, NamedTuple

from gateway.destinations import commerce, people
from gateway.destinations.commerce import Product
from gateway.destinations.fields import click_id, cookie, find, number, present, url
from gateway.destinations.google import AD_PERSONALIZATION, AD_USER_DATA, happened_ms
from gateway.model.event import Event, from_epoch_ms, to_iso

Kind = Literal["CONVERSION", "RETRACTION", "RESTATEMENT"]

CLICK_IDS = ("gclid", "gbraid", "wbraid")
"""Only one is told: Google refuses two."""
_COOKIE = "_gcl_aw"
"""Google's tag keeps the last gclid in it: `GCL.TIME.GCLID`."""
_COOKIE_PARTS = 3
_MOST_PIECES = 2**31 - 1


class Conversion(NamedTuple):
    """What an event says of one."""

    kind: Kind
    action: str
    """The id of the conversion action."""
    order_id: str
    """Google counts an order once for each action; what is no order is known again by its message."""
    happened_ms: int
    value: float | None
    currency: str
    click: Mapping[str, str]
    """At most one id."""
    person: people.Person
    country: str
    """ISO 3166: where a telephone number without country code is from."""
    consent: Mapping[str, bool]
    products: Sequence[Product]
    discount: float | None
    source: Literal["WEB", "APP", "OTHER"]


class Feed(NamedTuple):
    """Where the shop's products are in Merchant Center."""

    merchant_id: str
    country: str
    language: str


def conversion_of(
    event: Event, kind: Kind, action: str, currency: str, country: str, consent: Mapping[str, bool]
) -> Conversion:
    """`currency` and `country` are taken where the event does not say them."""
    return Conversion(
        kind=kind,
        action=action,
        order_id=commerce.order_id(event) or event["messageId"],
        happened_ms=happened_ms(event),
        value=_value(event, kind),
        currency=commerce.currency(event, currency),
        click=_click(event),
        person=people.person_of(event),
        country=country,
        consent=consent,
        products=commerce.products(event),
        discount=number(event, "properties.discount"),
        source="WEB" if url(event) else "APP" if find(event, "context.app", "context.device") else "OTHER",
    )


def upload(conversion: Conversion, customer_id: str, feed: Feed) -> dict[str, Any]:
    """A ClickConversion. With a braid the API takes no user identifiers, and of consent only one of the two types."""
    words = {True: "GRANTED", False: "DENIED"}
    consent = conversion.consent.get(AD_USER_DATA)
    identifiers = [{key: value} for key, value in _hashes(conversion, "hashedEmail", "hashedPhoneNumber").items()]
    return {
        "conversionAction": _action(conversion, customer_id),
        "conversionDateTime": _with_zone(conversion.happened_ms),
        "orderId": conversion.order_id,
        **_money(conversion, "conversionValue", "currencyCode"),
        **conversion.click,
        **present(
            userIdentifiers=identifiers if not {"gbraid", "wbraid"} & conversion.click.keys() else None,
            consent={"adUserData": words[consent]} if consent is not None else None,
            cartData=_cart_of_upload(conversion, feed),
        ),
    }


def adjustment(conversion: Conversion, customer_id: str) -> dict[str, Any]:
    """A ConversionAdjustment: the order is worth nothing any more, or something else."""
    restated = _money(conversion, "adjustedValue", "currencyCode") if conversion.kind == "RESTATEMENT" else {}
    return {
        "conversionAction": _action(conversion, customer_id),
        "adjustmentType": conversion.kind,
        "adjustmentDateTime": _with_zone(conversion.happened_ms),
        "orderId": conversion.order_id,
        **present(restatementValue=restated),
    }


def ingested(conversion: Conversion, feed: Feed) -> dict[str, Any]:
    """An Event of the Data Manager API. A second one of the same transaction overwrites its value: that is all that
    this API has for refunds, so a conversion that is taken back is worth nothing."""
    words = {True: "CONSENT_GRANTED", False: "CONSENT_DENIED"}
    consent = {"adUserData": AD_USER_DATA, "adPersonalization": AD_PERSONALIZATION}
    identifiers = [
        *({key: value} for key, value in _hashes(conversion, "emailAddress", "phoneNumber").items()),
        *({"address": address} for address in (_address(conversion.person),) if address),
    ]
    return {
        "transactionId": conversion.order_id,
        "eventTimestamp": to_iso(from_epoch_ms(conversion.happened_ms)),
        "eventSource": conversion.source,
        **_money(conversion, "conversionValue", "currency"),
        **present(
            adIdentifiers=dict(conversion.click),
            userData=present(userIdentifiers=identifiers),
            consent={
                key: words[conversion.consent[kind]] for key, kind in consent.items() if kind in conversion.consent
            },
            cartData=_cart_of_event(conversion, feed),
        ),
    }


def is_known(conversion: Conversion) -> bool:
    """Whether there is anything by which Google could find the click."""
    return bool(conversion.click or _hashes(conversion, "email", "phone"))


def _value(event: Event, kind: Kind) -> float | None:
    if kind == "RETRACTION":
        return 0
    adjusted = number(event, "properties.adjusted_value") if kind == "RESTATEMENT" else None
    return commerce.value(event, "value", "revenue", "total") if adjusted is None else adjusted


def _click(event: Event) -> dict[str, str]:
    for key in CLICK_IDS:
        found = click_id(event, key) or (_gclid_of_cookie(event) if key == "gclid" else None)
        if found:
            return {key: found}
    return {}


def _gclid_of_cookie(event: Event) -> str | None:
    parts = (cookie(event, _COOKIE) or "").split(".", _COOKIE_PARTS - 1)
    return parts[-1] or None if len(parts) == _COOKIE_PARTS and parts[0] == "GCL" else None


def _action(conversion: Conversion, customer_id: str) -> str:
    return f"customers/{customer_id}/conversionActions/{conversion.action}"


def _with_zone(epoch_ms: int) -> str:
    return f"{from_epoch_ms(epoch_ms).astimezone(UTC):%Y-%m-%d %H:%M:%S}+00:00"


def _money(conversion: Conversion, value: str, currency: str) -> dict[str, Any]:
    return {value: conversion.value, currency: conversion.currency} if conversion.value is not None else {}


def _hashes(conversion: Conversion, email: str, phone: str) -> dict[str, str]:
    person = conversion.person
    called = people.phone_e164(person.phone, people.country_code(person.country) or conversion.country)
    found = {email: people.sha256(people.google_email(person.email)), phone: people.sha256(called)}
    return {key: value for key, value in found.items() if value}


def _address(person: people.Person) -> dict[str, str]:
    """Matched as a whole, so nothing where a part is missing. Country and postal code are not hashed."""
    country = people.country_code(person.country)
    found = {
        "givenName": people.sha256(people.name(person.first_name)),
        "familyName": people.sha256(people.name(person.last_name)),
        "regionCode": country.upper() if country else None,
        "postalCode": person.postal_code,
    }
    return {key: value for key, value in found.items() if value} if all(found.values()) else {}


def _cart_of_upload(conversion: Conversion, feed: Feed) -> dict[str, Any]:
    cart = present(
        feedCountryCode=feed.country, feedLanguageCode=feed.language, localTransactionCost=conversion.discount
    )
    items = _lines(conversion, feed, "productId")
    return {"merchantId": feed.merchant_id, **cart, "items": items} if items else {}


def _cart_of_event(conversion: Conversion, feed: Feed) -> dict[str, Any]:
    cart = present(
        merchantFeedLabel=feed.country,
        merchantFeedLanguageCode=feed.language,
        transactionDiscount=conversion.discount,
    )
    items = _lines(conversion, feed, "merchantProductId")
    return {"merchantId": feed.merchant_id, **cart, "items": items} if items else {}


def _lines(conversion: Conversion, feed: Feed, product_id: str) -> list[dict[str, Any]]:
    """Only of shops with products in Merchant Center, by whose ids Google knows them."""
    listed = conversion.products if feed.merchant_id else ()
    return [
        {product_id: each.id, "quantity": _pieces(each.quantity), "unitPrice": each.price}
        for each in listed
        if each.id and each.price is not None
    ]


def _pieces(quantity: float | None) -> int:
    return min(max(1, round(quantity or 1)), _MOST_PIECES)
