"""LinkedIn: takes up to 5,000 conversions at once, all of them or none, and names those that it does not like."""

import hashlib
import json
import re
import time
from typing import Any

from gateway.destinations.linkedin import LINKEDIN
from tests.vendors.simulator import POISON, Received, Reply, Simulator

TOKEN = "s3cret-token"
ACTIVE_VERSIONS = ("202608", "202609")
DAY_MS = 86_400_000
RULES = ("104012", "104013", "104014")
ID_TYPES = ("SHA256_EMAIL", "LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID", "ACXIOM_ID", "PLAINTEXT_IP_ADDRESS", "GOOGLE_AID")
URN = re.compile(r"urn:lla:llaPartnerConversion:(\d+)")
POISON_HASH = hashlib.sha256(POISON.encode()).hexdigest()
"""How the poisoned user looks from here: ids arrive hashed."""


class LinkedIn(Simulator):
    """The conversion events of one ad account with three rules."""

    kind = LINKEDIN
    required = {
        "access_token": TOKEN,
        "conversions": {"Order Completed": RULES[:1], "Signed Up": RULES[1:], "Home": RULES[1:2]},
    }
    names_culprits = True

    def answer(self, received: Received) -> Reply:
        refusal = self._refused_at_the_gate(received)
        if refusal is not None:
            return refusal
        elements = received.body["elements"]
        lines = [line for place, element in enumerate(elements) for line in lines_of(place, element)]
        if lines:
            return Reply(422, {"message": "\n".join(lines) + "\n", "status": 422})
        if any(rule_of(element) not in RULES for element in elements):
            return Reply(403, {"message": "No ad accounts found", "status": 403})
        now_ms = time.time() * 1000
        late = [
            n for n, each in enumerate(elements) if not now_ms - 90 * DAY_MS < each["conversionHappenedAt"] <= now_ms
        ]
        if late:
            words = f"Conversion time should be within 90 days and not exceed current time, indices {late} (0-indexed)."
            return Reply(400, {"message": words, "status": 400})
        return Reply(body={"elements": [{"status": 201} for _ in elements]}, taken=self.keys(received))

    def _refused_at_the_gate(self, received: Received) -> Reply | None:
        if received.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, "INVALID_ACCESS_TOKEN", "Invalid access token", serviceErrorCode=65600)
        version = received.headers.get("linkedin-version")
        if version is None:
            return error(400, "VERSION_MISSING", "A version must be present.")
        if version not in ACTIVE_VERSIONS:
            return error(426, "NONEXISTENT_VERSION", f"Requested version {version}01 is not active")
        batched = received.headers.get("x-restli-method") == "BATCH_CREATE"
        if not batched or received.path != "/rest/conversionEvents":
            return error(404, "RESOURCE_NOT_FOUND", "No virtual resource found")
        return error(413, "TOO_MANY", "Too many elements") if len(received.body["elements"]) > 5000 else None

    def keys(self, received: Received) -> list[str]:
        """The event's id, for each rule."""
        return [f"{element['conversion']}/{element['eventId']}" for element in received.body["elements"]]


def error(status: int, code: str, message: str, **more: Any) -> Reply:
    return Reply(status, {"status": status, "code": code, "message": message, **more})


def rule_of(element: dict[str, Any]) -> str:
    found = URN.fullmatch(element["conversion"])
    return found[1] if found else ""


def lines_of(place: int, element: dict[str, Any]) -> list[str]:
    """The vendor's lines for one element: the first says which it is, the others follow it."""
    required = "field is required but not found and has no default value"
    user, value = element.get("user", {}), element.get("conversionValue", {})
    info = user.get("userInfo", {"firstName": "", "lastName": ""})
    checks = {
        f"/conversion :: {required}": "conversion" in element,
        "/conversion :: Invalid Urn format. Invalid prefix.": bool(rule_of(element)),
        f"/conversionHappenedAt :: {required}": isinstance(element.get("conversionHappenedAt"), int),
        f"/user/userIds :: {required}": isinstance(user.get("userIds"), list),
        "/conversionValue/amount :: cannot be coerced to String": isinstance(value.get("amount", ""), str),
        f"/user/userInfo/firstName :: {required}": "firstName" in info,
        f"/user/userInfo/lastName :: {required}": "lastName" in info,
        "/user/userIds/0/idType :: is not an enum symbol": all(each["idType"] in ID_TYPES for each in user["userIds"]),
        "/user/externalIds :: more than one": len(user.get("externalIds", ())) <= 1,
        "/user/externalIds/0 :: not acceptable": not {POISON, POISON_HASH} & {*user.get("externalIds", ())},
        "/note :: unrecognized field found but not allowed": POISON not in json.dumps(element),
    }
    lines = [f"ERROR :: {fault}" for fault, holds in checks.items() if not holds]
    return [f"Index: {place}, {line}" if first == 0 else line for first, line in enumerate(lines)]
