"""Braze's REST API: /users/track, /users/identify and /users/merge as its documentation describes them."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from gateway.destinations.braze import BRAZE
from tests.vendors.simulator import POISON, Received, Reply, Simulator

MAX_OBJECTS = 75
MAX_IDENTITIES = 50
MAX_PROPERTIES_BYTES = 102_400
MAX_CHARACTERS = 255
MAX_QUANTITY = 100

ARRAYS = ("attributes", "events", "purchases")
USERS = ("external_id", "user_alias", "braze_id", "email", "phone")

_ALL = {"currency": str, "source": str}
_ORDER = {**_ALL, "order_id": str, "total_value": float, "products": list}
_AMOUNTS = {"subtotal_value": float, "tax": float, "shipping": float}
_METADATA = {"metadata": dict}
REQUIRED: Mapping[str, Mapping[str, type]] = {
    "ecommerce.product_viewed": {**_ALL, "product_id": str, "product_name": str, "variant_id": str, "price": float},
    "ecommerce.cart_updated": {**_ALL, "cart_id": str, "products": list},
    "ecommerce.checkout_started": {**_ALL, "checkout_id": str, "total_value": float, "products": list},
    "ecommerce.order_placed": _ORDER,
    "ecommerce.order_refunded": _ORDER,
    "ecommerce.order_cancelled": {**_ORDER, "cancel_reason": str},
}
OPTIONAL: Mapping[str, Mapping[str, type]] = {
    "ecommerce.product_viewed": {**_METADATA, "image_url": str, "product_url": str, "type": list},
    "ecommerce.cart_updated": {**_METADATA, **_AMOUNTS, "action": str, "total_value": float},
    "ecommerce.checkout_started": {**_METADATA, **_AMOUNTS, "cart_id": str},
    "ecommerce.order_placed": {**_METADATA, **_AMOUNTS, "cart_id": str, "total_discounts": float, "discounts": list},
    "ecommerce.order_refunded": {**_METADATA, "total_discounts": float, "discounts": list},
    "ecommerce.order_cancelled": {**_METADATA, **_AMOUNTS, "total_discounts": float, "discounts": list},
}
PRODUCT = {"product_id": str, "product_name": str, "variant_id": str, "quantity": int, "price": float}
PRODUCT_OPTIONAL = {**_METADATA, "image_url": str, "product_url": str}


class Braze(Simulator):
    """Answers for each object of /users/track. It knows nothing again, so what it took twice it has twice."""

    kind = BRAZE
    required = {"api_key": "s3cret", "currency": "USD"}
    names_culprits = True

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != "Bearer s3cret":
            return Reply(401, {"message": "Invalid API key: provided"})
        if received.method != "POST" or received.path not in _ENDPOINTS:
            return Reply(404, {"message": "Not Found"})
        return _ENDPOINTS[received.path](received.body, self.keys(received))

    def keys(self, received: Received) -> list[str]:
        return [f"{array} {json.dumps(one)}" for array, members in received.body.items() for one in members]


def _track(body: Mapping[str, Any], keys: list[str]) -> Reply:
    members = [(array, index, one) for array in body for index, one in enumerate(body[array])]
    if not members or not body.keys() <= set(ARRAYS):
        return Reply(
            400, {"message": "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."}
        )
    if len(members) > MAX_OBJECTS:
        return Reply(400, {"message": "Max Input Length Exceeded"})
    errors = [
        {"type": fault, "input_array": array, "index": index}
        for array, index, one in members
        for fault in [next(_faults(array, one), None)]
        if fault
    ]
    bad = {(error["input_array"], error["index"]) for error in errors}
    taken = [key for (array, index, _), key in zip(members, keys, strict=True) if (array, index) not in bad]
    return Reply(201, {"message": "success", **({"errors": errors} if errors else {})}, taken)


def _identify(body: Mapping[str, Any], keys: list[str]) -> Reply:
    aliases = body.get("aliases_to_identify")
    if not isinstance(aliases, list) or not all(_is_aliased(one) and one.get("external_id") for one in aliases):
        return Reply(400, {"message": "'aliases_to_identify' must be an array of objects"})
    if len(aliases) > MAX_IDENTITIES or POISON in json.dumps(aliases):
        return Reply(400, {"message": "The max number of external_ids and aliases per request was exceeded"})
    return Reply(201, {"aliases_processed": len(aliases), "message": "success"}, keys)


def _merge(body: Mapping[str, Any], keys: list[str]) -> Reply:
    merges = body.get("merge_updates")
    if not isinstance(merges, list):
        return Reply(400, {"message": "'merge_updates' must be an array of objects"})
    if len(merges) > MAX_IDENTITIES:
        return Reply(400, {"message": "a single request may not contain more than 50 merge updates"})
    if any(set(one) != {"identifier_to_merge", "identifier_to_keep"} for one in merges) or POISON in json.dumps(merges):
        return Reply(400, {"message": "'merge_updates' must only have 'identifier_to_merge' and 'identifier_to_keep'"})
    return Reply(202, {"message": "success"}, keys)


_ENDPOINTS = {"/users/track": _track, "/users/identify": _identify, "/users/merge": _merge}


def _is_aliased(one: Mapping[str, Any]) -> bool:
    alias = one.get("user_alias", {})
    return all(isinstance(alias.get(key), str) and alias[key] for key in ("alias_name", "alias_label"))


def _faults(array: str, one: Mapping[str, Any]) -> Iterator[str]:
    if not any(one.get(key) for key in USERS):
        yield "'external_id' or 'braze_id' or 'user_alias' is required"
    if "user_alias" in one and not _is_aliased(one):
        yield "'user_alias' must have an alias_name and an alias_label"
    if POISON in json.dumps(one):
        yield "provided external_id is blacklisted and disallowed"
    if array == "attributes":
        return
    if not _is_time(one.get("time")):
        yield "'time' must be a valid ISO 8601 time"
    properties = one.get("properties", {})
    if len(json.dumps(properties).encode()) > MAX_PROPERTIES_BYTES:
        yield "'properties' exceed 100 KB"
    yield from _faults_of_names(properties)
    yield from _faults_of_a_purchase(one) if array == "purchases" else _faults_of_an_event(one, properties)


def _is_time(said: Any) -> bool:
    try:
        return datetime.fromisoformat(said).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _faults_of_names(properties: Mapping[str, Any]) -> Iterator[str]:
    for name, value in properties.items():
        if not name or len(name) > MAX_CHARACTERS or name.startswith("$"):
            yield f"'{name}' is not a valid property name"
        if name in ("time", "event_name"):
            yield f"'{name}' is a reserved property name"
        if isinstance(value, str) and len(value) > MAX_CHARACTERS:
            yield f"'{name}' is longer than 255 characters"


def _faults_of_an_event(one: Mapping[str, Any], properties: Mapping[str, Any]) -> Iterator[str]:
    name = one.get("name")
    if not isinstance(name, str) or not name or len(name) > MAX_CHARACTERS:
        yield "'name' is required"
    if name in REQUIRED:
        yield from _faults_of_a_schema(properties, REQUIRED[name], OPTIONAL[name])
        for product in properties.get("products", ()):
            yield from _faults_of_a_schema(product, PRODUCT, PRODUCT_OPTIONAL)


def _faults_of_a_schema(
    said: Mapping[str, Any], required: Mapping[str, type], optional: Mapping[str, type]
) -> Iterator[str]:
    for key, kind in required.items():
        if key not in said:
            yield f"'{key}' is a required property (missing_property)"
        elif not _is_a(said[key], kind):
            yield f"'{key}' is of the wrong type (unexpected_data_type)"
    for key, value in said.items():
        if key not in required and (key not in optional or not _is_a(value, optional[key])):
            yield f"'{key}' is not defined (extra_property)"
        if isinstance(value, int | float) and value < 0:
            yield f"'{key}' must be at least 0"


def _is_a(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind) and not isinstance(value, bool) and (kind is not str or bool(value))


def _faults_of_a_purchase(one: Mapping[str, Any]) -> Iterator[str]:
    currency, product_id, quantity = str(one.get("currency", "")), one.get("product_id"), one.get("quantity", 1)
    if len(currency) != 3 or not currency.isupper():
        yield "'currency' must be an ISO 4217 currency"
    if not isinstance(product_id, str) or not 0 < len(product_id) <= MAX_CHARACTERS:
        yield "'product_id' is required"
    if not _is_a(one.get("price"), float):
        yield "'price' is required"
    if type(quantity) is not int or not 0 < quantity <= MAX_QUANTITY:
        yield "'quantity' must be an integer between 1 and 100"
