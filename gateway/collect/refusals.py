"""Every reason for which an event or a request is refused for good. The codes are a closed list, as metric labels are.

A message says what the sender has to change, because it is all that a developer in front of a browser console sees.
"""

from typing import NamedTuple


class Refusal(NamedTuple):
    """Why something was refused; `code` is for machines, `message` for the person who has to mend it."""

    code: str
    message: str
    status: int = 400
    """Of the answer when the whole request is refused. Only 400 and 401: other 4xx make some SDKs retry for ever."""


MAX_ID_CHARACTERS = 512
MAX_MESSAGE_ID_CHARACTERS = 256
MAX_DEPTH = 64

# Events, each judged alone.
NOT_AN_OBJECT = Refusal("not_an_object", "An event must be a JSON object.")
INVALID_TYPE = Refusal(
    "invalid_type",
    "Set `type` to one of track, page, screen, identify, group, alias, or post to the path of that name.",
)
MISSING_USER = Refusal("missing_user", "Give the event a `userId` or an `anonymousId`, a non-empty string.")
MISSING_EVENT_NAME = Refusal("missing_event_name", "A track event needs `event`, its name, a non-empty string.")
MISSING_GROUP_ID = Refusal("missing_group_id", "A group event needs `groupId`, a non-empty string.")
MISSING_ALIAS_IDS = Refusal("missing_alias_ids", "An alias event needs both `userId` and `previousId`.")
INVALID_ID = Refusal(
    "invalid_id",
    "`messageId`, `userId`, `anonymousId`, `groupId`, `previousId` and `event` must be strings or numbers.",
)
ID_TOO_LONG = Refusal("id_too_long", f"An id may have {MAX_ID_CHARACTERS} characters at most.")
MESSAGE_ID_TOO_LONG = Refusal(
    "message_id_too_long", f"`messageId` may have {MAX_MESSAGE_ID_CHARACTERS} characters at most."
)
EVENT_TOO_LARGE = Refusal("event_too_large", "The event is larger than `server.max_event`; send less in it.")
TOO_DEEP = Refusal("too_deep", f"Objects and arrays may be nested {MAX_DEPTH} deep at most.")

# Requests.
EMPTY_BODY = Refusal("empty_body", 'The request has no body; send one event or {"batch": [...]} as JSON.')
INVALID_JSON = Refusal("invalid_json", 'The body is not JSON; send one event or {"batch": [...]}.')
INVALID_BATCH = Refusal("invalid_batch", "`batch` must be an array of events.")
INVALID_PAYLOAD = Refusal(
    "invalid_payload",
    'Snowplow\'s payload is {"schema": "iglu:.../payload_data/...", "data": [...]} with an array of events.',
)
INVALID_EVENTS = Refusal(
    "invalid_events", "GA4's `events` must be an array of 100 events at most, and /g/collect takes as many lines."
)
SHARED_TOO_LARGE = Refusal(
    "shared_too_large",
    "What the request says for all of its events (`context`, `integrations`, GA4's user properties) is too large to be "
    "given to each of them.",
)
FORM_BODY = Refusal("form_body", "The body is a form; send the JSON itself, whatever the Content-Type.")
CORRUPT_BODY = Refusal("corrupt_body", "The compressed body is damaged or cut short.")
UNSUPPORTED_ENCODING = Refusal("unsupported_encoding", "Compress with gzip or deflate, or not at all.")
BODY_TOO_LARGE = Refusal("body_too_large", "The body is larger than the gateway takes; send fewer events in a request.")
MALFORMED_REQUEST = Refusal("malformed_request", "This is not HTTP as the gateway reads it.")
MISSING_WRITE_KEY = Refusal(
    "missing_write_key", "Send the source's write key as the user of Basic auth, or as `writeKey` in the body.", 401
)
UNKNOWN_WRITE_KEY = Refusal(
    "unknown_write_key", "No source has this write key; check it against the configuration.", 401
)
ORIGIN_NOT_ALLOWED = Refusal(
    "origin_not_allowed", "Pages of this origin may not send to this source; add it to the source's `allowed_origins`."
)
