"""The tables of the graph, the same in every warehouse. Numbers that begin with an underscore are hashes, to be
searched by.

An identifier's hash is the first half of the id that a person would have from it (see gateway/identity/naming.py).
"""

from collections.abc import Mapping

from gateway.warehouses.values import ColumnType

CLAIMS = "_headwater_claims"
LINKS = "_headwater_links"
PLACES = "_headwater_identities"
TENURES = "_headwater_spans"
RECORDS = "identity_merges"
FROZEN = "identity_frozen"
UNDONE = "identity_unmerged"
PENDING = "_headwater_pending_links"
REVISIONS = "_headwater_revisions"
"""A row whenever links were taken away or may no longer be made. What a gateway remembers is true while none comes."""

_TEXT, _INTEGER, _MOMENT = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.MOMENT
_ENDS = {"left_type": _TEXT, "left_value": _TEXT, "right_type": _TEXT, "right_value": _TEXT}
_WHEN = {"us": _INTEGER, "message_id": _TEXT, "cause": _TEXT}

GRAPH_TABLES: Mapping[str, Mapping[str, ColumnType]] = {
    CLAIMS: {
        "anonymous_id": _TEXT,
        "claimant_type": _TEXT,
        "claimant": _TEXT,
        **_WHEN,
        "refused": _TEXT,
        "_device": _INTEGER,
    },
    LINKS: {**_ENDS, **_WHEN, "refused": _TEXT, "_left": _INTEGER, "_right": _INTEGER},
    PLACES: {
        "identifier_type": _TEXT,
        "identifier": _TEXT,
        "person_id": _TEXT,
        **_WHEN,
        "owner_type": _TEXT,
        "owner": _TEXT,
        "is_shared": ColumnType.BOOLEAN,
        "_hash": _INTEGER,
        "_person": _INTEGER,
    },
    TENURES: {
        "anonymous_id": _TEXT,
        "person_id": _TEXT,
        "owner_type": _TEXT,
        "owner": _TEXT,
        "from_us": _INTEGER,
        "to_us": _INTEGER,
        "_device": _INTEGER,
        "_owner": _INTEGER,
    },
    RECORDS: {
        "kind": _TEXT,
        "person_id": _TEXT,
        "other": _TEXT,
        "cause": _TEXT,
        "message_id": _TEXT,
        "timestamp": _MOMENT,
        "recorded_at": _MOMENT,
    },
    FROZEN: {"identifier_type": _TEXT, "identifier": _TEXT, "frozen_at": _MOMENT},
    UNDONE: {**_ENDS, "undone_at": _MOMENT},
    PENDING: {**_ENDS, **_WHEN},
    REVISIONS: {"revised_at": _MOMENT},
}
"""Columns by table."""

NULLABLE = frozenset(
    {(CLAIMS, "refused"), (LINKS, "refused"), (PLACES, "owner_type"), (PLACES, "owner")}
    | {(TENURES, "from_us"), (TENURES, "to_us")}
)
"""Every other column has a value in each row."""

SEARCHED = {
    CLAIMS: ("_device",),
    LINKS: ("_left", "_right"),
    PLACES: ("_hash", "_person"),
    TENURES: ("_device", "_owner"),
}
"""Columns by which rows are found."""
