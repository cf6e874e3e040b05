"""Intercom: knows contacts, and refuses events of those that it does not know."""

import hashlib
import re
from typing import Any

from gateway.destinations.intercom import INTERCOM
from tests.vendors.simulator import Received, Reply, Simulator

CONTACT_FIELDS = frozenset(
    {"role", "external_id", "email", "phone", "name", "avatar", "signed_up_at", "last_seen_at", "owner_id"}
    | {"unsubscribed_from_emails", "custom_attributes"}
)
COMPANY_FIELDS = frozenset(
    {"company_id", "name", "plan", "size", "website", "industry", "monthly_spend", "remote_created_at"}
    | {"custom_attributes"}
)


class Intercom(Simulator):
    """What it answers hangs on the contacts that it was told of before."""

    kind = INTERCOM
    required = {"access_token": "dG9r-s3cret"}

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, dict[str, Any]] = {}
        """By Intercom's own ids."""

    def answer(self, received: Received) -> Reply:
        if received.headers.get("authorization") != "Bearer dG9r-s3cret":
            return refused(401, "unauthorized", "Access Token Invalid")
        if not re.fullmatch(r"\d+\.\d+", received.headers.get("intercom-version", "")):
            return refused(400, "intercom_version_invalid", "The requested version could not be found")
        if received.is_poisoned:
            return refused(400, "parameter_invalid", "poison is no valid value")
        of_one = re.fullmatch(r"/contacts/([\w-]+)(/companies)?", received.path)
        if of_one:
            return self.of_one(of_one[1], received)
        handlers = {"/contacts": self.created, "/events": self.submitted, "/companies": self.company}
        return handlers[received.path](received) if received.path in handlers else NOT_FOUND

    def of_one(self, contact_id: str, received: Received) -> Reply:
        if contact_id not in self.contacts:
            return NOT_FOUND
        if received.path.endswith("/companies"):
            return Reply(200, {"type": "company", "id": received.body["id"]})
        if received.method == "GET":
            return Reply(200, self.shown(contact_id))
        self.contacts[contact_id] |= received.body
        return Reply(200, self.shown(contact_id), self.keys(received))

    def created(self, received: Received) -> Reply:
        said = received.body
        if not (said.get("external_id") or said.get("email")) or said.keys() - CONTACT_FIELDS:
            return refused(400, "parameter_invalid", "email or external_id is required, and no other field is known")
        if said.get("custom_attributes", {}).keys() - {"plan"}:
            return refused(400, "parameter_invalid", "Custom attribute 'other' does not exist")
        existing = self.known(said.get("external_id"), said.get("email"))
        if existing:
            words = f"A contact matching those details already exists with id={existing}"
            return refused(409, "conflict", words)
        contact_id = hashlib.sha256(received.raw).hexdigest()[:24]
        self.contacts[contact_id] = said
        return Reply(200, self.shown(contact_id), self.keys(received))

    def submitted(self, received: Received) -> Reply:
        said = received.body
        if not said.get("event_name") or not isinstance(said.get("created_at"), int):
            return refused(400, "parameter_not_found", "event_name and created_at are required")
        values = said.get("metadata", {}).values()
        if any(isinstance(value, list) for value in values) or any(
            isinstance(value, dict) and set(value) not in ({"url", "value"}, {"amount", "currency"}) for value in values
        ):
            return refused(400, "parameter_invalid", "nested JSON is not supported")
        if not self.known(said.get("user_id"), said.get("email"), said.get("id")):
            return refused(404, "not_found", "User Not Found")
        return Reply(202, None, self.keys(received))

    def company(self, received: Received) -> Reply:
        if not received.body.get("company_id") or received.body.keys() - COMPANY_FIELDS:
            return refused(400, "bad_request", "bad 'company_id' parameter")
        company_id = hashlib.sha256(received.body["company_id"].encode()).hexdigest()[:24]
        return Reply(200, {"type": "company", "id": company_id, **received.body}, self.keys(received))

    def keys(self, received: Received) -> list[str]:
        """An event is known again by its contact, its name and its second; a contact that is only named is no event."""
        said = received.body
        if received.path == "/events":
            contact = self.contacts.get(said.get("id", ""), {})
            who = said.get("user_id") or contact.get("external_id") or said.get("email") or contact.get("email")
            return [f"{who} {said['event_name']} {said['created_at']}"]
        if received.path == "/companies":
            return [f"company {said['company_id']}"]
        is_told_of = "role" in said and said.keys() - {"role", "external_id", "email"}
        return [f"contact {said.get('external_id') or said.get('email')}"] if is_told_of else []

    def known(self, external_id: str | None, email: str | None, contact_id: str | None = None) -> str | None:
        """The id of the contact, looked up by the first of these that is said."""
        if contact_id:
            return contact_id if contact_id in self.contacts else None
        key, value = ("external_id", external_id) if external_id else ("email", email)
        return next((known for known, contact in self.contacts.items() if contact.get(key) == value), None)

    def shown(self, contact_id: str) -> dict[str, Any]:
        return {"type": "contact", "id": contact_id, "external_id": None, **self.contacts[contact_id]}


def refused(status: int, code: str, message: str) -> Reply:
    error = {"code": code, "message": message}
    return Reply(status, {"type": "error.list", "request_id": "000m1v8h9ctk2v9j2c1g", "errors": [error]})


NOT_FOUND = refused(404, "not_found", "Resource Not Found")
