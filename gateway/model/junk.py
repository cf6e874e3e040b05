"""Values that stand where an identifier should be and name nobody: defaults, placeholders, faults of client code.

They are the best documented way to merge thousands of strangers: PostHog's and Segment's users report all of these.
"""

from collections.abc import Collection

MAX_CHARACTERS = 512
"""RudderStack's limit for the type and value of an identifier together."""

WORDS = frozenset(
    {
        "",
        "null",
        "undefined",
        "none",
        "nil",
        "nan",
        "n/a",
        "na",
        "unknown",
        "anonymous",
        "guest",
        "true",
        "false",
        "-1",
        "[object object]",
    }
)
_OBJECT = "[object object]"


def is_junk(value: str, blocklist: Collection[str] = ()) -> bool:
    """Whether `value` names nobody. `blocklist` holds the owner's further words, trimmed and in lower case."""
    text = value.strip().lower()
    return text in WORDS or text in blocklist or not text.strip("0-") or _OBJECT in text or len(value) > MAX_CHARACTERS
