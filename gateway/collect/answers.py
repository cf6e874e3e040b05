"""Answers to clients, rendered to bytes as early as possible: most are made once, when the module is loaded.

Why these statuses and no others: docs/http-api.md, "Answers".
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from gateway.collect.refusals import Refusal

JSON = "application/json"
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer, short of the headers that depend on the request (CORS, Date, Connection)."""

    status: int
    head: bytes
    """Status line and headers, each line ended, without the blank line."""
    body: bytes


def answer(status: int, body: bytes = b"", content_type: str = JSON, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """An answer with `body`; names and values of `headers` are ours, not the client's."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    if status not in _WITHOUT_BODY:
        lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return Answer(status, "".join(f"{line}\r\n" for line in lines).encode("latin-1"), body)


def json_answer(status: int, document: Any, headers: Sequence[tuple[str, str]] = ()) -> Answer:
    """An answer with `document` as JSON, never cached unless `headers` say so."""
    body = json.dumps(document, separators=(",", ":")).encode()
    return answer(status, body, JSON, headers or (("Cache-Control", "no-store"),))


def refused(refusal: Refusal) -> Answer:
    """A permanent refusal. `code` and `message` both: rudder-sdk-python retries a 400 that lacks one of them."""
    return json_answer(refusal.status, {"success": False, "code": refusal.code, "message": refusal.message})


def retry_later(code: str, message: str, retry_after_s: int, status: int = 503) -> Answer:
    """Temporary trouble. Whole seconds in Retry-After: most SDKs cannot read a date."""
    document = {"success": False, "code": code, "message": message}
    return json_answer(status, document, (("Retry-After", str(max(1, retry_after_s))), ("Cache-Control", "no-store")))


def accepted_in_part(rejections: Sequence[tuple[int, Refusal]], total: int) -> Answer:
    """The good events of a batch are stored; `rejections` are the first of the `total` refused ones."""
    items = [{"index": index, "code": refusal.code, "message": refusal.message} for index, refusal in rejections]
    return json_answer(200, {"success": True, "rejectedCount": total, "rejected": items})


ACCEPTED = json_answer(200, {"success": True})
NOT_FOUND = json_answer(404, {"success": False, "code": "not_found", "message": "There is nothing at this path."})
INTERNAL_ERROR = json_answer(
    500, {"success": False, "code": "internal_error", "message": "The gateway failed; the request may be sent again."}
)
COMMIT_SLOW = retry_later("commit_slow", "The disk is slow; the events may or may not be stored. Send them again.", 2)
OVERLOADED = retry_later("overloaded", "The gateway holds as many requests as it may; send this one again.", 1)
SLOW_REQUEST = retry_later("slow_request", "The request did not arrive in time; send it again.", 1)
NO_STORE = (("Cache-Control", "no-store"),)
PIXEL = answer(
    200,
    bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"),
    "image/gif",
    NO_STORE,
)


def method_not_allowed(methods: Sequence[str]) -> Answer:
    """405 with the methods that the path has."""
    message = f"This path takes {', '.join(methods)}."
    document = {"success": False, "code": "method_not_allowed", "message": message}
    return json_answer(405, document, (("Allow", ", ".join((*methods, "OPTIONS"))),))
