"""Google Analytics 4: the Measurement Protocol (/mp/collect), and what gtag.js sends to a server of one's own
(/g/collect). Each has its own file; here is what they answer.

Google answers 204 to everything. So does this, to what is stored whole; a refusal says why, as everywhere.
/debug/mp/collect stores nothing, and says what /mp/collect would.

Source: developers.google.com/analytics/devguides/collection/protocol/ga4.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from gateway.collect import refusals
from gateway.collect.answers import ACCEPTED, NO_STORE, Answer, answer, json_answer
from gateway.collect.dialects.ga4_gtag import translate_gtag
from gateway.collect.dialects.ga4_protocol import translate_protocol
from gateway.collect.dialects.translation import Dialect, Translation
from gateway.collect.refusals import Refusal

NO_CONTENT = answer(204, headers=NO_STORE)


def validate(body: bytes, query: Mapping[str, str]) -> Translation | Refusal:
    """A request without its events, once each was found good; the refusal of the first that was not."""
    translation = translate_protocol(body, query)
    if isinstance(translation, Refusal):
        return translation
    faults = filter(None, map(_fault, translation.events))
    return next(faults, translation._replace(events=[]))


def _fault(event: Any) -> Refusal | None:
    if not isinstance(event, dict):
        return refusals.NOT_AN_OBJECT
    if not event.get("userId") and not event.get("anonymousId"):
        return refusals.MISSING_USER
    return refusals.MISSING_EVENT_NAME if event["type"] == "track" and not event.get("event") else None


def _as_google(ours: Answer) -> Answer:
    return NO_CONTENT if ours is ACCEPTED else ours


def _as_validation(ours: Answer) -> Answer:
    """`validationMessages`, as Google's validation server says them; temporary trouble stays what it is."""
    if ours is ACCEPTED:
        return json_answer(200, {"validationMessages": []})
    if ours.status not in {400, 401}:
        return ours
    said = orjson.loads(ours.body)
    message = {"fieldPath": "", "description": said["message"], "validationCode": said["code"]}
    return json_answer(200, {"validationMessages": [message]})


PROTOCOL = Dialect(translate_protocol, _as_google)
DEBUG = Dialect(validate, _as_validation)
GTAG = Dialect(translate_gtag, _as_google)
