"""What Google's two APIs for conversions answer. Pure.

The Google Ads API takes what it can and names the rest in `partialFailureError`; the Data Manager API takes a request
as a whole or refuses it, and names the culprits in `fieldViolations`.

Source: Google Ads API, "Best practices for partial failures", "ConversionUploadError",
"ConversionAdjustmentUploadError", "Error types"; Data Manager API, "Understand API errors" and "ErrorReason"; the
Google Ads developer blog of 15 May 2026 (who may upload).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from gateway.destinations.classify import classify_by_status
from gateway.destinations.contract import Payload
from gateway.destinations.fields import as_number, as_text, find
from gateway.destinations.google import json_of
from gateway.destinations.http_messages import Response
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

Verdict = Delivered | Retry | Reject

HOUR_S = 3600
ALREADY = frozenset(
    {
        *("CLICK_CONVERSION_ALREADY_EXISTS", "ORDER_ID_ALREADY_IN_USE", "CONVERSION_ALREADY_RETRACTED"),
        *("RESTATEMENT_ALREADY_EXISTS", "CLICK_NOT_FOUND"),
    }
)
"""Google has it. CLICK_NOT_FOUND: a buyer who came by no advertisement; "you can safely ignore this", says Google."""
TWICE_IN_REQUEST = frozenset(
    {"DUPLICATE_ORDER_ID", "DUPLICATE_CLICK_CONVERSION_IN_REQUEST", "DUPLICATE_ADJUSTMENT_IN_REQUEST"}
)
"""Google took none of the two."""
TOO_RECENT_S = {
    "TOO_RECENT_EVENT": 6 * HOUR_S,
    "TOO_RECENT_CONVERSION_ACTION": 6 * HOUR_S,
    "TOO_RECENT_CONVERSION": 24 * HOUR_S,
}
PASSING = frozenset(
    {
        *("INTERNAL_ERROR", "TRANSIENT_ERROR", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "CONCURRENT_MODIFICATION"),
        *("RESOURCE_TEMPORARILY_EXHAUSTED", "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION"),
    }
)
_ACTION = "write the id of a conversion action of this account that takes what is told"
_TERMS = "accept the customer data terms in the account's conversion settings"
_LEADS = "turn on enhanced conversions for leads in the account's conversion settings"
OWNERS = {
    "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE": 'Google lets only who did so before; set api = "data_manager"',
    "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": _TERMS,
    "CUSTOMER_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": _LEADS,
    "DESTINATION_ACCOUNT_ENHANCED_CONVERSIONS_TERMS_NOT_SIGNED": _TERMS,
    "DESTINATION_ACCOUNT_NOT_ENABLED_ENHANCED_CONVERSIONS_FOR_LEADS": _LEADS,
    "INVALID_CONVERSION_ACTION_ID": _ACTION,
    "INVALID_CONVERSION_ACTION_TYPE": _ACTION,
    "INVALID_DESTINATION": "write the ids of accounts that the user has access to",
    "NO_CONVERSION_ACTION_FOUND": _ACTION,
    "UNSUPPORTED_VERSION": "set api_version to one that Google still has",
}
"""What nothing but the owner's hand can mend, and how."""

_INDEX = re.compile(r"\bevents\[(\d+)\]")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")
_WORDS = 200
_CONVERSIONS = 10_000  # more than any request has
_BAD_REQUEST = 400
_NO_SUCH_ADDRESS = 404


class Fault(NamedTuple):
    """One thing that Google did not like."""

    code: str
    words: str
    position: int | None
    """Of the conversion; None where it is the whole request."""

    @property
    def reason(self) -> str:
        return f"{self.code}: {self.words}"[:_WORDS]


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """The outcome, for each conversion where Google tells them apart."""
    body, is_success = json_of(response), response.status // 100 == 2  # noqa: PLR2004 - the class of success
    partial = find(body, "partialFailureError")
    faults = list(_faults(partial if isinstance(partial, Mapping) else find(body, "error")))
    for fault in faults:
        if fault.code in OWNERS:
            return Halt(f"{fault.code}: {OWNERS[fault.code]}")
    named = [fault for fault in faults if fault.position is not None and fault.position < len(payloads)]
    if named and (is_success or response.status == _BAD_REQUEST):
        return Partial(_verdicts(named, payloads, rest=Delivered() if is_success else Retry("refused with others")))
    if is_success and (partial or not body):
        return Reject(faults[0].reason) if faults else Retry("an answer that cannot be read")
    if response.status == _NO_SUCH_ADDRESS:
        return Halt("HTTP 404: the address is wrong, or Google has ended this version of the API")
    return _by_status(response, faults, body)


def _by_status(response: Response, faults: Sequence[Fault], body: Mapping[str, Any]) -> Outcome:
    """In Google's words, where it has any."""
    outcome = classify_by_status(response)
    if isinstance(outcome, Delivered | Partial):
        return outcome
    reason = faults[0].reason if faults else outcome.reason
    if isinstance(outcome, Retry):
        return Retry(reason, _delay_s(body) if outcome.after_s is None else outcome.after_s)
    return Reject(reason) if isinstance(outcome, Reject) else Halt(reason)


def _verdicts(faults: Sequence[Fault], payloads: Sequence[Payload], rest: Verdict) -> list[Verdict]:
    verdicts: list[Verdict] = [rest] * len(payloads)
    seen: set[str] = set()
    for fault in faults:
        assert fault.position is not None, "faults of the whole request have been sorted out"
        verdict = _verdict(fault, payloads[fault.position], seen)
        if not isinstance(verdicts[fault.position], Reject):
            verdicts[fault.position] = verdict
    return verdicts


def _verdict(fault: Fault, payload: Payload, seen: set[str]) -> Verdict:
    """Of two with one order in a request the first is told again, alone; the other is then known."""
    if fault.code in ALREADY:
        return Delivered()
    if fault.code in TWICE_IN_REQUEST:
        order_id = str(orjson.loads(payload.body).get("orderId"))
        is_first = order_id not in seen
        seen.add(order_id)
        return Retry(fault.reason) if is_first else Delivered()
    if fault.code in TOO_RECENT_S:
        return Retry(fault.reason, TOO_RECENT_S[fault.code])
    return Retry(fault.reason) if fault.code in PASSING else Reject(fault.reason)


def _faults(error: Any) -> Iterator[Fault]:
    """Of a Status: those of a GoogleAdsFailure and of a BadRequest; of one that has neither, itself."""
    if not isinstance(error, Mapping):
        return
    details = _tables(error.get("details"))
    failures = [each for detail in details for each in _tables(detail.get("errors"))]
    violations = [each for detail in details for each in _tables(detail.get("fieldViolations"))]
    for each in failures:
        yield Fault(_code(each), as_text(each.get("message")) or "", _position(each))
    for each in violations:
        field = as_text(each.get("field")) or ""
        position, words = _INDEX.search(field), as_text(each.get("description")) or ""
        code = as_text(each.get("reason")) or "INVALID_ARGUMENT"
        yield Fault(code, f"{field} {words}", int(position[1][:9]) if position else None)
    if not (failures or violations):
        yield Fault(as_text(error.get("status")) or "error", as_text(error.get("message")) or "", None)


def _code(error: Mapping[str, Any]) -> str:
    """`{"conversionUploadError": "EXPIRED_EVENT"}`."""
    codes = error.get("errorCode")
    return next(filter(None, map(as_text, codes.values())), "UNKNOWN") if isinstance(codes, Mapping) else "UNKNOWN"


def _position(error: Mapping[str, Any]) -> int | None:
    """Of the conversion in the request; the path to the fault begins with it."""
    for element in _tables(find(error, "location.fieldPathElements")):
        if element.get("fieldName") in {"conversions", "conversion_adjustments", "conversionAdjustments"}:
            index = as_number(element.get("index", 0))
            return int(index) if index is not None and 0 <= index < _CONVERSIONS else None
    return None


def _delay_s(body: Mapping[str, Any]) -> float | None:
    """RetryInfo, or the delay of an exhausted quota: "30s"."""
    for detail in _tables(find(body, "error.details")):
        quotas = [find(each, "details.quotaErrorDetails.retryDelay") for each in _tables(detail.get("errors"))]
        for delay in (detail.get("retryDelay"), *quotas):
            found = _SECONDS.fullmatch(as_text(delay) or "")
            if found:
                return float(found[1])
    return None


def _tables(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
