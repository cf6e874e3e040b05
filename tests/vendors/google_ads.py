"""Google's two APIs for conversions, with Google's token server beside them.

The Data Manager API takes a request as a whole or refuses it; the Google Ads API takes what it can and names the rest.
Both know an order again.
"""

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from gateway.destinations.google_ads import GOOGLE_ADS
from tests.vendors.simulator import POISON, Received, Reply, Simulator

TOKEN = "ya29.a0-t0ken"
HASH = re.compile("[0-9a-f]{64}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
ACCOUNT: Mapping[str, Any] = {
    "customer_id": "123-456-7890",
    "login_customer_id": "9998887777",
    "client_id": "app.apps.example",
    "client_secret": "s3cret-client",
    "refresh_token": "1//s3cret",
    "developer_token": "s3cret-developer",
    "conversions": {"Order Completed": "101", "Signed Up": "102"},
    "adjustments": {"Order Refunded": "101", "Order Cancelled": "101", "Order Updated": "101"},
}


class Google(Simulator):
    """The token server."""

    kind = GOOGLE_ADS
    token = TOKEN
    names_culprits = True

    @classmethod
    def addressed(cls, base_url: str) -> dict[str, Any]:
        return {"base_url": base_url, "token_url": f"{base_url}/token"}

    def answer(self, received: Received) -> Reply:
        if received.path == "/token":
            return token(received.raw.decode())
        if received.headers.get("authorization") != f"Bearer {TOKEN}":
            return refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        return self.told(received)

    @abstractmethod
    def told(self, received: Received) -> Reply:
        """What the API answers to whom it knows."""

    def fresh(self, keys: list[str]) -> list[str]:
        """Those that are not known yet, once each."""
        return [key for key in dict.fromkeys(keys) if key not in self.taken]


class DataManager(Google):
    required = ACCOUNT

    def told(self, received: Received) -> Reply:
        body = received.body
        if received.path != "/v1/events:ingest":
            return refusal(404, "NOT_FOUND", "Requested entity was not found.")
        if not 1 <= len(body["events"]) <= 2000 or body.get("encoding") != "HEX":
            return refusal(400, "INVALID_ARGUMENT", "There was a problem with the request.")
        violations = [*destination_violations(body["destinations"])]
        for index, event in enumerate(body["events"]):
            violations += [
                {"field": f"events.events[{index}].{field}", "description": words, "reason": reason}
                for field, words, reason in event_violations(event)
            ]
        if violations:
            detail = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}
            return refusal(400, "INVALID_ARGUMENT", "There was a problem with the request.", detail)
        return Reply(200, {"requestId": "126365e1-16d0-4c81-9de9-f362711e250a"}, self.fresh(self.keys(received)))

    def keys(self, received: Received) -> list[str]:
        if received.path == "/token":
            return []
        action = received.body["destinations"][0]["productDestinationId"]
        return [f"{action}/{event['transactionId']}" for event in received.body["events"]]


class GoogleAds(Google):
    required = {**ACCOUNT, "api": "google_ads"}

    def told(self, received: Received) -> Reply:
        method = received.path.removeprefix("/v26/customers/1234567890:")
        member = {"uploadClickConversions": "conversions", "uploadConversionAdjustments": "conversionAdjustments"}
        if method not in member or received.headers.get("login-customer-id") != "9998887777":
            return refusal(404, "NOT_FOUND", "Requested entity was not found.")
        listed = received.body[member[method]]
        if received.body.get("partialFailure") is not True or not 1 <= len(listed) <= 2000:
            return refusal(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        keys = self.keys(received)
        wrong = [
            wrong_upload(each) if method == "uploadClickConversions" else wrong_adjustment(each) for each in listed
        ]
        wrong = [code or self._repeated(keys, index) for index, code in enumerate(wrong)]
        taken = [key for key, code in zip(keys, wrong, strict=True) if not code]
        return Reply(200, partial_failure(method, wrong), taken)

    def _repeated(self, keys: list[str], index: int) -> str:
        if keys[index] in self.taken:
            return "ORDER_ID_ALREADY_IN_USE"
        return "DUPLICATE_ORDER_ID" if keys.count(keys[index]) > 1 else ""

    def keys(self, received: Received) -> list[str]:
        if received.path == "/token":
            return []
        listed = received.body.get("conversions") or received.body.get("conversionAdjustments") or []
        return [
            "/".join([each["conversionAction"], each["orderId"], each.get("adjustmentDateTime", ""), kind(each)])
            for each in listed
        ]


def kind(conversion: Mapping[str, Any]) -> str:
    return str(conversion.get("adjustmentType", "CONVERSION"))


def token(form: str) -> Reply:
    if "grant_type=refresh_token" not in form or "client_id=app.apps.example" not in form:
        return Reply(401, {"error": "invalid_client", "error_description": "The OAuth client was not found."})
    if "refresh_token=1%2F%2Fs3cret" not in form or "client_secret=s3cret-client" not in form:
        return Reply(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
    return Reply(200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})


def refusal(status: int, code: str, words: str, *details: Mapping[str, Any]) -> Reply:
    return Reply(status, {"error": {"code": status, "message": words, "status": code, "details": [*details]}})


def destination_violations(destinations: list[Mapping[str, Any]]) -> list[dict[str, str]]:
    wanted = {"accountType": "GOOGLE_ADS", "accountId": "1234567890"}
    if [each["operatingAccount"] for each in destinations] == [wanted]:
        return []
    return [{"field": "destinations.destinations[0]", "description": "", "reason": "INVALID_DESTINATION"}]


def event_violations(event: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = []
    if not RFC_3339.fullmatch(event.get("eventTimestamp", "")):
        found.append(("event_timestamp", "Required field is missing.", "REQUIRED_FIELD_MISSING"))
    identifiers = event.get("userData", {}).get("userIdentifiers", [])
    if not identifiers and not event.get("adIdentifiers"):
        found.append(("user_data", "No identifiers.", "NO_IDENTIFIERS_PROVIDED"))
    if len(identifiers) > 10 or any(len(each) != 1 for each in identifiers):
        found.append(("user_data", "Too many.", "TOO_MANY_USER_IDENTIFIERS"))
    hashes = [value for each in identifiers for value in each.values() if isinstance(value, str)]
    if not all(HASH.fullmatch(value) for value in hashes):
        found.append(("user_data.user_identifiers", "Email is not hashed.", "INVALID_SHA256_FORMAT"))
    if "conversionValue" in event and not re.fullmatch("[A-Z]{3}", event.get("currency", "")):
        found.append(("currency", "Currency.", "INVALID_CURRENCY_CODE"))
    if POISON in str(event):
        found.append(("transaction_id", "Event is not valid.", "INVALID_EVENT"))
    return found


def wrong_upload(conversion: Mapping[str, Any]) -> str:
    """The code of the first fault; empty where there is none."""
    clicks = [key for key in ("gclid", "gbraid", "wbraid") if conversion.get(key)]
    identifiers = conversion.get("userIdentifiers", [])
    if not MOMENT.fullmatch(conversion.get("conversionDateTime", "")):
        return "INVALID_STRING_DATE_TIME"
    if not re.fullmatch(r"customers/\d{10}/conversionActions/\d+", conversion.get("conversionAction", "")):
        return "NO_CONVERSION_ACTION_FOUND"
    if len(clicks) > 1:
        return "GBRAID_WBRAID_BOTH_SET"
    if len(identifiers) > 5 or not all(HASH.fullmatch(value) for each in identifiers for value in each.values()):
        return "INVALID_USER_IDENTIFIER"
    if not clicks and not identifiers:
        return "REQUIRED_FIELD_MISSING"
    return "UNPARSEABLE_GCLID" if POISON in str(conversion) else ""


def wrong_adjustment(adjustment: Mapping[str, Any]) -> str:
    if not MOMENT.fullmatch(adjustment.get("adjustmentDateTime", "")) or not adjustment.get("orderId"):
        return "MISSING_ORDER_ID_FOR_WEBPAGE"
    is_restated = "adjustedValue" in adjustment.get("restatementValue", {})
    return "" if is_restated == (adjustment["adjustmentType"] == "RESTATEMENT") else "INVALID_ADJUSTMENT"


def partial_failure(method: str, codes: list[str]) -> dict[str, Any]:
    """Google's answer to conversions, each with the code of what is wrong with it, or with none."""
    upload = method == "uploadClickConversions"
    errors = [
        {
            "errorCode": {"conversionUploadError" if upload else "conversionAdjustmentUploadError": code},
            "message": f"In Google's words: {code}.",
            "location": {
                "fieldPathElements": [
                    {"fieldName": "conversions" if upload else "conversion_adjustments", "index": index}
                ]
            },
        }
        for index, code in enumerate(codes)
        if code
    ]
    results = [{} if code else {"orderId": "x"} for code in codes]
    if not errors:
        return {"results": results, "jobId": "1"}
    failure = {"@type": "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure", "errors": errors}
    words = f"Multiple errors in 'details'. First error: {errors[0]['message']}"
    return {"partialFailureError": {"code": 3, "message": words, "details": [failure]}, "results": results}
