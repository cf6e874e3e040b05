"""The tables of the graph. Numbers that begin with an underscore are hashes, to be searched by.

An identifier's hash is the first half of the id that a person would have from it (see gateway/identity/naming.py).
"""

from collections.abc import Sequence

import duckdb

from gateway.warehouses.names import literal

CLAIMS = "_headwater_claims"
LINKS = "_headwater_links"
PLACES = "_headwater_identities"
TENURES = "_headwater_spans"
RECORDS = "identity_merges"
FROZEN = "identity_frozen"
UNDONE = "identity_unmerged"
PENDING = "_headwater_pending_links"

_FAST = "using compression uncompressed"
"""Rows that lie far from each other are read: to unpack all around them would take longer than anything else."""

_TABLES = {
    CLAIMS: """
        anonymous_id varchar not null, claimant_type varchar not null, claimant varchar not null, us bigint not null,
        message_id varchar not null, cause varchar not null, refused varchar, _device bigint not null""",
    LINKS: """
        left_type varchar not null, left_value varchar not null, right_type varchar not null,
        right_value varchar not null, us bigint not null, message_id varchar not null, cause varchar not null,
        refused varchar, _left bigint not null, _right bigint not null""",
    PLACES: f"""
        identifier_type varchar not null, identifier varchar not null, person_id varchar {_FAST} not null,
        us bigint not null, message_id varchar {_FAST} not null, cause varchar not null, owner_type varchar,
        owner varchar {_FAST}, is_shared boolean not null, _hash bigint not null, _person bigint not null""",
    TENURES: """
        anonymous_id varchar not null, person_id varchar not null, owner_type varchar not null, owner varchar not null,
        from_us bigint, to_us bigint, _device bigint not null, _owner bigint not null""",
    RECORDS: """
        kind varchar not null, person_id varchar not null, other varchar not null, cause varchar not null,
        message_id varchar not null, timestamp timestamptz not null, recorded_at timestamptz not null""",
    FROZEN: "identifier_type varchar not null, identifier varchar not null, frozen_at timestamptz not null",
    UNDONE: """
        left_type varchar not null, left_value varchar not null, right_type varchar not null,
        right_value varchar not null, undone_at timestamptz not null""",
    PENDING: """
        left_type varchar not null, left_value varchar not null, right_type varchar not null,
        right_value varchar not null, us bigint not null, message_id varchar not null, cause varchar not null""",
}

_PER_ROW = 8
"""Bytes that DuckDB holds in memory for every row of a stretch of 2,048 in which one is deleted."""
_LARGEST_ROOM = 2**30


def make_room(connection: duckdb.DuckDBPyConnection, memory_limit: int, changing: Sequence[str]) -> None:
    """Let DuckDB use what it needs to delete rows of these tables, besides `memory_limit`: they may be everywhere."""
    names = ", ".join(map(literal, changing))
    sizes = f"select coalesce(sum(estimated_size), 0) from duckdb_tables() where table_name in ({names})"
    ((rows,),) = connection.execute(sizes).fetchall()
    room = min(_PER_ROW * int(rows), _LARGEST_ROOM)
    connection.execute(f"set memory_limit = '{memory_limit + room}B'")


CREATE_TABLES = tuple(f"create table if not exists {name} ({columns})" for name, columns in _TABLES.items())
REPLACED = (PLACES, TENURES)
"""Of these, a load replaces rows."""
GRAPH = (CLAIMS, LINKS, *REPLACED)
