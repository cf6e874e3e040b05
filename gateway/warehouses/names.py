"""Names of tables and columns: those that Segment's and RudderStack's warehouses use, so that their models work here.

Source: Segment's "Warehouse Schemas" page and RudderStack's transformation of names. Event and property names are
the visitor's to choose (the write key is public), so every name is cut down to letters, digits and underscores.
"""

import re
from hashlib import sha256

TABLES_OF_TYPE = {
    "track": "tracks",
    "page": "pages",
    "screen": "screens",
    "identify": "identifies",
    "group": "groups",
    "alias": "aliases",
}
"""The table of each type of event."""

VIEWS = ("persons", "identities", "person_events", "identity_spans", "identity_edges", "users")
"""Each before those that it is made of."""

RESERVED_TABLES = frozenset(
    {
        *TABLES_OF_TYPE.values(),
        *("users", "accounts", "persons", "person_events"),
        *("identities", "identity_edges", "identity_spans", "identity_merges", "identity_frozen", "identity_unmerged"),
    }
)
"""Tables with a meaning of their own: an event that is called so gets an underscore in front."""

STANDARD_COLUMNS = (
    "id",
    "anonymous_id",
    "user_id",
    "received_at",
    "sent_at",
    "original_timestamp",
    "timestamp",
    "channel",
    "source",
)
"""What every table has besides its `context_` columns."""

EXTRA = "_extra"
"""What fitted no column, as JSON."""

DATE = "received_date"
"""The day of `received_at`, in UTC, by which files are put into folders: readers take it for a column."""

OWN_COLUMNS = frozenset(
    {*STANDARD_COLUMNS, *("event", "event_text", "group_id", "previous_id", "properties", "traits"), EXTRA, DATE}
)
"""Columns that the loader fills: a property that is called so gets an underscore in front."""

OWN_TABLES_PREFIX = "_headwater_"
"""Of the loader's tables that nobody else reads, in every warehouse: an event's table gets an underscore in front."""

SERVERS_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
"""Columns that PostgreSQL and its kin have in every table: a property gets an underscore in front."""

SERVERS_PREFIXES = ("_table_", "_file_", "_partition", "_row_timestamp", "_colidentifier", "_change_")
"""How no column in BigQuery may begin, and some tables may not, which it does not list: here no name does."""

MAX_NAME_CHARACTERS = 63
"""PostgreSQL's limit, the shortest of all warehouses: the same names everywhere."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_HASH_CHARACTERS = 8


def snake_case(text: str) -> str:
    """`Order Completed` and `orderCompleted` are `order_completed`; digits stay with the word before them.

    Empty when nothing of `text` is a letter or a digit of ASCII.
    """
    words: list[str] = []
    end_of_last = -1
    for word in _WORD.finditer(text):
        if word[0].isdigit() and word.start() == end_of_last and words:
            words[-1] += word[0]
        else:
            words.append(word[0].lower())
        end_of_last = word.end()
    return "_".join(words)


def table_name(event: str) -> str:
    """The table of an event; empty when its name has no letter or digit."""
    name = _leading_underscores(event) + snake_case(event)
    if name in RESERVED_TABLES or name.startswith((OWN_TABLES_PREFIX, *SERVERS_PREFIXES)):
        name = f"_{name}"
    return _short(_not_a_number(name), event)


def column_name(path: tuple[str, ...], prefix: str = "") -> str:
    """The column of a key, and of the keys in nested objects: `("product", "name")` is `product_name`.

    `prefix` is `context_` for the context's keys. Empty when a part of the path has no letter or digit.
    """
    parts = [snake_case(key) for key in path]
    if not all(parts):
        return ""
    name = prefix + _leading_underscores(path[0]) + "_".join(parts)
    if not prefix and _is_taken(name):
        name = f"_{name}"
    return _short(_not_a_number(name), ".".join(path))


def quoted(name: str) -> str:
    """An identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string in SQL."""
    return "'" + text.replace("'", "''") + "'"


def _is_taken(column: str) -> bool:
    return column in OWN_COLUMNS | SERVERS_COLUMNS or column.startswith(("context_", *SERVERS_PREFIXES))


def _leading_underscores(text: str) -> str:
    return "_" * (len(text) - len(text.lstrip("_"))) if text.strip("_") else ""


def _not_a_number(name: str) -> str:
    return f"_{name}" if name[:1].isdigit() else name


def _short(name: str, original: str) -> str:
    """Cut to the limit; a hash of the whole keeps two long names apart."""
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    digest = sha256(original.encode(errors="replace")).hexdigest()[:_HASH_CHARACTERS]
    return f"{name[: MAX_NAME_CHARACTERS - _HASH_CHARACTERS - 1]}_{digest}"
