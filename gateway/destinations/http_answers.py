"""What the answer of any HTTP API means: the default table, and what the owner says beyond it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Self

import orjson
from pydantic import Field, model_validator

from gateway.config.routing import Condition
from gateway.config.section import Section
from gateway.destinations.classify import classify_by_status, excerpt, in_words, retry_after_s
from gateway.destinations.contract import Payload
from gateway.destinations.fields import as_number, find, text
from gateway.destinations.http_messages import Response
from gateway.destinations.selection import holds
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

Statuses = tuple[Annotated[int, Field(ge=100, le=599)], ...]

WHOLE_ANSWER = "."


class AnswerSettings(Section):
    """How to read answers, beyond what a status means everywhere."""

    success: Statuses = ()
    """Statuses that mean: it has the event."""
    retry: Statuses = ()
    """Statuses that mean: try again."""
    reject: Statuses = ()
    """Statuses that mean: it will never take this event."""
    halt: Statuses = ()
    """Statuses that mean: nothing works until the owner acts."""
    success_if: Condition | None = None
    """What must be true of the JSON of a 2xx answer; where it is not, the event is refused."""
    retry_if: Condition | None = None
    """Where this is true of the JSON of an answer, whatever its status, it is tried again."""
    halt_if: Condition | None = None
    """Where this is true of the JSON of an answer, whatever its status, the destination is paused."""
    errors: str = ""
    """Where a 2xx answer lists errors of single events: a path of keys, or "." where the answer is the list itself."""
    index: str = "index"
    """The key of such an error that says the event's place in the request, from 0. Empty: its place in the list."""
    error_if: Condition | None = None
    """Which members of the list are errors. Unless it is said, all of them."""
    reason: str = "message"
    """The key of an error that holds words."""
    status: str = ""
    """The key of an error that holds a status of its own, read like an answer's; 2xx is no error."""

    @model_validator(mode="after")
    def _is_of_one_mind(self) -> Self:
        named = [*self.success, *self.retry, *self.reject, *self.halt]
        for status in named:
            if named.count(status) > 1:
                raise ValueError(f"{status} is named twice among success, retry, reject and halt; keep one")
        of_errors = self.model_fields_set & {"index", "error_if", "reason", "status"}
        if of_errors and not self.errors:
            raise ValueError(f"{min(of_errors)} speaks of errors; say in errors where the answer lists them")
        return self

    def says(self, name: str, answer: Any) -> bool:
        """Whether the condition with this name exists and is true of a table."""
        return name in self._conditions and isinstance(answer, Mapping) and self._conditions[name](answer)

    @cached_property
    def _conditions(self) -> dict[str, Callable[[Mapping[str, Any]], bool]]:
        given = {name: getattr(self, name) for name in ("success_if", "retry_if", "halt_if", "error_if")}
        return {name: holds(condition) for name, condition in given.items() if condition is not None}


def outcome_of(response: Response, payloads: Sequence[Payload], rules: AnswerSettings) -> Outcome:
    """What became of each payload."""
    answer = _json(response.body)
    if rules.says("halt_if", answer):
        return Halt(in_words(response))
    if rules.says("retry_if", answer):
        return Retry(in_words(response), retry_after_s(response))
    verdict = by_status(response, rules)
    if response.status // 100 != 2 or not isinstance(verdict, Delivered):  # noqa: PLR2004 - the class of success
        return verdict
    if rules.success_if is not None and not rules.says("success_if", answer):
        return Retry(f"HTTP {response.status}: no JSON") if answer is None else Reject(in_words(response))
    if not rules.errors or not response.body:
        return verdict
    return Retry(f"HTTP {response.status}: no JSON") if answer is None else _by_item(answer, payloads, rules)


def by_status(response: Response, rules: AnswerSettings) -> Delivered | Retry | Reject | Halt:
    """The outcome from the status alone. A redirect speaks of the address, so only the owner can act."""
    status, reason = response.status, in_words(response)
    if status in rules.success:
        return Delivered()
    if status in rules.retry:
        return Retry(reason, retry_after_s(response))
    if status in rules.reject:
        return Reject(reason)
    if status in rules.halt or status // 100 == 3:  # noqa: PLR2004 - the class of redirects
        return Halt(reason)
    verdict = classify_by_status(response)
    assert not isinstance(verdict, Partial)
    return verdict


def _by_item(answer: Any, payloads: Sequence[Payload], rules: AnswerSettings) -> Outcome:
    """An error that cannot be told whose it is counts for all, who then are sent by halves."""
    verdicts: list[Delivered | Retry | Reject] = [Delivered()] * len(payloads)
    for position, error in enumerate(_listed(answer, rules)):
        verdict = _verdict(error, rules)
        if isinstance(verdict, Delivered):
            continue
        index = _index(error, position, rules) if len(payloads) > 1 else 0
        if index is None or index >= len(payloads):
            return verdict
        verdicts[index] = verdict
    return Partial(verdicts) if any(not isinstance(each, Delivered) for each in verdicts) else Delivered()


def _listed(answer: Any, rules: AnswerSettings) -> list[Any]:
    listed = answer if rules.errors == WHOLE_ANSWER else find(answer, rules.errors)
    return listed if isinstance(listed, list) else []


def _index(error: Any, position: int, rules: AnswerSettings) -> int | None:
    if not rules.index:
        return position
    return _whole_number(error, rules.index)


def _whole_number(error: Any, key: str) -> int | None:
    said = as_number(find(error, key)) if key and isinstance(error, Mapping) else None
    return int(said) if said is not None and said >= 0 and said % 1 == 0 else None


def _verdict(error: Any, rules: AnswerSettings) -> Delivered | Retry | Reject:
    if rules.error_if is not None and not rules.says("error_if", error):
        return Delivered()
    words = text(error, rules.reason) if isinstance(error, Mapping) else None
    reason = words or excerpt(Response(0, body=orjson.dumps(error)))
    status = _whole_number(error, rules.status)
    if status is None:
        return Reject(reason)
    verdict = by_status(Response(status), rules)
    if isinstance(verdict, Retry):
        return Retry(f"{status}: {reason}")
    return verdict if isinstance(verdict, Delivered) else Reject(f"{status}: {reason}")


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
