"""Iterable's API: the endpoints for users, events and commerce as its reference describes them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from gateway.destinations.iterable import ITERABLE
from tests.vendors.simulator import POISON, Received, Reply, Simulator

MAX_BODY_BYTES = 4_000_000
MAX_ID_BYTES = 512
MAX_USER_ID_CHARACTERS = 52

Members = list[dict[str, Any]]


class Iterable(Simulator):
    """Names the users of a bulk request that it did not take; refuses the whole for a value of a wrong type."""

    kind = ITERABLE
    required = {"api_key": "s3cret"}
    names_culprits = True

    def answer(self, received: Received) -> Reply:
        if received.headers.get("api-key") != "s3cret":
            return _said(401, "BadApiKey", "Invalid API key")
        if (received.method, received.path) == ("GET", "/api/users/getFields"):
            return Reply(body={"fields": {"email": "string"}})
        endpoint = received.path.removeprefix("/api/")
        if received.method != "POST" or endpoint not in _ENDPOINTS:
            return Reply(404)
        if len(received.raw) > MAX_BODY_BYTES:
            return _said(413, "BatchTooLarge", "the request is larger than 4MB")
        if _has_poisoned_data(received.body):
            return _said(400, "RequestFieldsTypesMismatched", "the request does not have the same data types")
        return _ENDPOINTS[endpoint](received.body, self.keys(received))

    def keys(self, received: Received) -> list[str]:
        body = received.body
        members = body.get("users") or body.get("events") or [body]
        return [one.get("id") or json.dumps(one) for one in members]


def _said(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"code": code, "msg": message, "params": None})


def _members(body: Mapping[str, Any]) -> Members:
    return [*body.get("users", ()), *body.get("events", ()), *([body] if "items" in body else ())]


def _has_poisoned_data(body: Mapping[str, Any]) -> bool:
    return any(POISON in json.dumps(one.get("dataFields")) for one in _members(body))


def _fault(one: Mapping[str, Any]) -> tuple[str, str] | None:
    """The list of `failedUpdates` that a user stands in, and by which name."""
    user_id, email = one.get("userId"), one.get("email")
    if email is not None and ("@" not in email or POISON in email):
        return "invalidEmails", email
    if email is None and (not user_id or len(user_id) > MAX_USER_ID_CHARACTERS or not user_id.isascii()):
        return "invalidUserIds", str(user_id)
    if user_id and POISON in user_id:
        return "forgottenUserIds", user_id
    return None


def _bulk(members: Members, keys: list[str]) -> Reply:
    faults = [_fault(one) for one in members]
    failed: dict[str, list[str]] = {}
    for fault in faults:
        if fault:
            failed.setdefault(fault[0], []).append(fault[1])
    taken = [key for key, fault in zip(keys, faults, strict=True) if fault is None]
    counts = {"successCount": len(taken), "failCount": len(members) - len(taken)}
    return Reply(body={**counts, "invalidEmails": [], "invalidUserIds": [], "failedUpdates": failed}, taken=taken)


def _update_users(body: Mapping[str, Any], keys: list[str]) -> Reply:
    if not isinstance(body.get("users"), list):
        return _said(400, "BadJsonBody", "users is required")
    return _bulk(body["users"], keys)


def _track(body: Mapping[str, Any], keys: list[str]) -> Reply:
    events = body.get("events")
    if not isinstance(events, list) or not all(_is_event(one) for one in events):
        return _said(400, "BadJsonBody", "eventName is required, id has at most 512 bytes, createdAt is in seconds")
    return _bulk(events, keys)


def _is_event(one: Mapping[str, Any]) -> bool:
    created_at = one.get("createdAt")
    return (
        bool(one.get("eventName"))
        and len(one.get("id", "").encode()) <= MAX_ID_BYTES
        and type(created_at) is int
        and created_at < 10**11
        and ("email" in one) != ("userId" in one)
    )


def _commerce(body: Mapping[str, Any], keys: list[str]) -> Reply:
    needed = {"id": str, "name": str, "price": int | float, "quantity": int}
    for item in body["items"]:
        if not all(isinstance(item.get(key), kind) for key, kind in needed.items()):
            return _said(400, "BadJsonBody", "id, name, price and quantity are required of items")
    fault = _fault(body["user"])
    if fault:
        return _said(409 if "forgotten" in fault[0] else 400, "ForgottenUserError", fault[0])
    return Reply(body={"code": "Success", "msg": "", "params": {"id": keys[0]}}, taken=keys)


def _purchase(body: Mapping[str, Any], keys: list[str]) -> Reply:
    if not isinstance(body.get("total"), int | float) or len(body.get("id", "").encode()) > MAX_ID_BYTES:
        return _said(400, "BadJsonBody", "total is required")
    return _commerce(body, keys)


def _merge(body: Mapping[str, Any], keys: list[str]) -> Reply:
    sides = [[key for key in body if key.startswith(side)] for side in ("source", "destination")]
    if [len(side) for side in sides] != [1, 1]:
        return _said(400, "BadParams", "one source and one destination are required")
    return Reply(body={"code": "Success", "msg": "", "params": None}, taken=keys)


def _update_email(body: Mapping[str, Any], keys: list[str]) -> Reply:
    if "@" not in body.get("newEmail", "") or not body.get("currentEmail"):
        return _said(400, "InvalidEmailAddressError", "newEmail is not an email")
    return Reply(body={"code": "Success", "msg": "", "params": None}, taken=keys)


_ENDPOINTS: Mapping[str, Callable[[Mapping[str, Any], list[str]], Reply]] = {
    "users/bulkUpdate": _update_users,
    "events/trackBulk": _track,
    "commerce/trackPurchase": _purchase,
    "commerce/updateCart": _commerce,
    "users/merge": _merge,
    "users/updateEmail": _update_email,
}
