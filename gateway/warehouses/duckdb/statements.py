"""The SQL of a load, made from the schema. Nothing here talks to a database.

`arrived` are the events of the load, `envelopes` their requests, `event_names` the tables of the tracks by name; all
three are Arrow columns. `staged` is a temporary table with one row for each event, its body still JSON. From there one
statement fills each table.
"""

import json
from collections.abc import Iterable
from typing import Any

from gateway.model.event import FUTURE_TOLERANCE, SKEW_TOLERANCE
from gateway.warehouses.columns import Column, Columns
from gateway.warehouses.names import STANDARD_COLUMNS, literal, quoted
from gateway.warehouses.repair import PLAIN_FIELDS
from gateway.warehouses.schema import Table
from gateway.warehouses.values import MAX_EXACT_INTEGER, ODD_NUMBER, ColumnType, Path

SQL_TYPES = {
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.MOMENT: "TIMESTAMP WITH TIME ZONE",
    ColumnType.TEXT: "VARCHAR",
    ColumnType.JSON: "JSON",
}
MOMENTS = ("received_at", "sent_at", "original_timestamp", "timestamp")
OWN_COLUMNS_OF = {
    "tracks": {"event": "VARCHAR", "event_text": "VARCHAR", "properties": "JSON", "_load": "BIGINT"},
    "event": {"event": "VARCHAR", "event_text": "VARCHAR"},
    "groups": {"group_id": "VARCHAR"},
    "aliases": {"previous_id": "VARCHAR"},
}
"""Columns of a kind of table, besides those of all tables and those of the body."""
EXTRA = "_extra"

_ARRIVED = "select position, envelope, raw, null::varchar as all_properties, null::varchar as extra from arrived"
_REPAIRED = """
    select position, envelope, raw, nullif(all_properties, '') as all_properties, nullif(extra, '') as extra
    from repaired"""

_JSON_FIELDS = ("context", "properties", "traits", "name", "category")
_TEXT_FIELDS = (*PLAIN_FIELDS, "timestamp", "originalTimestamp", "sentAt")
_EVENT_SPEC = dict.fromkeys(_TEXT_FIELDS, "VARCHAR") | dict.fromkeys(_JSON_FIELDS, "JSON")
_FRACTIONS = ("", ".___", ".______")
_ZONES = ("Z", "+0_:00", "-0_:00")


def stage(context: Columns) -> str:
    """`staged`: every event that arrived, with the context as far as it is known."""
    return f"create or replace temp table staged as {_read_events(_ARRIVED, context)}"


def stage_repaired(context: Columns) -> str:
    """The repaired events, in place of those that were there."""
    return f"insert into temp.staged {_read_events(_REPAIRED, context)}"


def create_table(table: Table, context: Columns) -> str:
    """A new table, with every column that is known for it."""
    columns = {name: "TIMESTAMP WITH TIME ZONE" if name in MOMENTS else "VARCHAR" for name in STANDARD_COLUMNS}
    columns |= OWN_COLUMNS_OF.get(table.kind, {}) | {EXTRA: "JSON"}
    for column in (*context.by_name.values(), *table.columns.by_name.values()):
        if column.type is not None:
            columns[column.name] = SQL_TYPES[column.type]
    listed = ", ".join(f"{quoted(name)} {sql_type}" for name, sql_type in columns.items())
    return f"create table {quoted(table.name)} ({listed})"


def add_or_widen(table: str, column: Column) -> str:
    """A column that an existing table lacks, or whose type has become wider."""
    assert column.type is not None
    sql_type, target = SQL_TYPES[column.type], quoted(table)
    if column.is_stored:
        return f"alter table {target} alter column {quoted(column.name)} set data type {sql_type}"
    return f"alter table {target} add column {quoted(column.name)} {sql_type}"


def create_users(identifies: Columns) -> str:
    """Who the users are now: of each trait the latest value by the time of the event, whatever came in which order."""
    latest = "(timestamp, received_at, id)"
    traits = [quoted(column.name) for column in identifies.by_name.values() if column.name != "id"]
    columns = [
        "user_id as id",
        "max(received_at) as received_at",
        "max(timestamp) as timestamp",
        *(f"arg_max({trait}, {latest}) as {trait}" for trait in traits),
    ]
    listed = ", ".join(columns)
    return f"create or replace view users as select {listed} from identifies where user_id is not null group by user_id"


def fill_table(table: Table, context: Columns, load: int) -> str:
    """The rows of one table; of an event's own table only the repaired ones, for the others come from `tracks`.

    The last column to be read is the body, once for all its keys.
    """
    values = {name: f"s.{quoted(name)}" for name in STANDARD_COLUMNS}
    values |= {column.name: f"s.{quoted(column.name)}" for column, _path in context.readable()}
    values |= {EXTRA: "s.extra"} | _own_values(table, load)
    source = f"temp.staged s {_rows_of(table)}"
    if table.kind != "tracks":
        values |= {column.name: _value("b", column, path) for column, path in table.columns.readable()}
        source = f"(select s.*, {_read('s.body', table.columns)} as b from {source}) s"
    names, expressions = ", ".join(map(quoted, values)), ", ".join(values.values())
    return f"insert into {quoted(table.name)} ({names}) select {expressions} from {source}"


def fill_from_tracks(table: Table, context: Columns) -> str:
    """The rows of an event's own table, of the loads from the first parameter to the second."""
    contexts = (column.name for column in context.by_name.values() if column.type is not None)
    shared = (*STANDARD_COLUMNS, *contexts, EXTRA, "event", "event_text")
    values = {name: f"t.{quoted(name)}" for name in shared}
    values |= {column.name: _value("b", column, path) for column, path in table.columns.readable()}
    rows = f"from tracks where _load between ? and ? and event = {literal(table.name)}"
    names, expressions = ", ".join(map(quoted, values)), ", ".join(values.values())
    source = f"(select *, {_read('properties', table.columns)} as b {rows}) t"
    return f"insert into {quoted(table.name)} ({names}) select {expressions} from {source}"


def find_unreadable_moments(table: Table) -> str | None:
    """Positions of rows with a text that is no time in a column of times; None when the table has no such column."""
    moments = [(column, path) for column, path in table.columns.readable() if column.type is ColumnType.MOMENT]
    if not moments:
        return None
    spec = literal(json.dumps(_spec(moments)))
    unreadable = " or ".join(_is_misfit("b", column, path) for column, path in moments)
    rows = f"select s.position, json_transform(s.body, {spec}) as b from temp.staged s {_rows_of(table)}"
    return f"select position from ({rows}) where {unreadable}"


def _read_events(events: str, context: Columns) -> str:
    """One row for each event: the standard and the context columns, the body as JSON, and what tells odd ones.

    In layers, each of which names what the next one uses more than once.
    """
    standard = {
        "original_timestamp": "make_timestamptz(coalesce(original_us, explicit_us, corrected_us))",
        "sent_at": "make_timestamptz(sent_us)",
        "received_at": "make_timestamptz(received_us)",
        "timestamp": "make_timestamptz(corrected_us)",
        "shape": "hash(type, event_text, json_structure(context), json_structure(body))",
        "is_odd": _is_odd(context),
    }
    plain = [*STAGED_PLAIN_COLUMNS, *(f"{value} as {name}" for name, value in standard.items())]
    contexts = [f"{_context_value(column, path)} as {quoted(column.name)}" for column, path in context.readable()]
    listed = ", ".join(plain + contexts)
    return f"select {listed} from ({_with_corrected_time(_with_times(_with_request(_parsed(events)), context))})"


STAGED_PLAIN_COLUMNS = (
    *("position", "type", "id", "anonymous_id", "user_id", "group_id", "previous_id", "event_text", "channel"),
    *("source", "body", "all_properties", "extra"),
)

_NAMED = "json_object('name', e.name, 'category', e.category)"
_BODY = f"""
    case
        when e.type = 'track' then e.properties
        when e.type in ('page', 'screen') then coalesce(json_merge_patch({_NAMED}, e.properties), {_NAMED})
        when e.type in ('identify', 'group') then
            coalesce(nullif(e.traits, '{{}}'), json_extract(e.context, '$.traits'))
    end"""
"""What `body_of` says, in SQL."""


def _parsed(events: str) -> str:
    """The event's fields, and its containers as JSON."""
    spec = literal(json.dumps(_EVENT_SPEC))
    return f"""
        select position, envelope, all_properties, extra, e.context as context, {_BODY} as body,
            e.type as type, e."messageId" as id, e."anonymousId" as anonymous_id, e."userId" as user_id,
            e."groupId" as group_id, e."previousId" as previous_id, e.event as event_text, e.channel as channel,
            e."originalTimestamp" as original, e.timestamp as explicit, e."sentAt" as sent
        from (select *, json_transform(raw, {spec}) as e from ({events}))"""


def _with_request(parsed: str) -> str:
    """What the request says of its time counts before what the event says; null stands for what cannot be read."""
    requests = f"select *, epoch_us({_moment('told_sent_at')}) as told_us from envelopes"
    return f"""
        select * exclude (sent), received_at_ms * 1000 as received_us, case when tells_sent_at = 0 then sent end as sent
        from ({parsed}) join ({requests}) using (envelope)"""


def _with_times(events: str, context: Columns) -> str:
    """The client's times in microseconds, null where unreadable; the context as a struct `c`."""
    original, explicit, sent = (f"epoch_us({_moment(name)})" for name in ("original", "explicit", "sent"))
    return f"""
        select *, {original} as original_us, {explicit} as explicit_us, coalesce({sent}, told_us) as sent_us,
            {_read("context", context)} as c
        from ({events})"""


def _with_corrected_time(events: str) -> str:
    """`corrected_timestamp` of the model in SQL; a property test compares the two."""
    happened = "case when original is null then explicit_us else coalesce(explicit_us, original_us) end"
    tolerance_us, latest_us = (round(each.total_seconds() * 1e6) for each in (SKEW_TOLERANCE, FUTURE_TOLERANCE))
    is_skewed = f"(original is null or explicit_us is null) and abs(received_us - sent_us) > {tolerance_us}"
    since_received = f"{happened} - case when {is_skewed} then sent_us else received_us end"
    is_believable = f"since_received between -received_us and {latest_us}"
    return f"""
        select *, received_us + case when {is_believable} then since_received else 0 end as corrected_us
        from (select *, {since_received} as since_received from ({events}))"""


def _is_odd(context: Columns) -> str:
    """Whether the event says something that this SQL may not read as the model does."""
    unreadable = [f"({name} is not null and {name}_us is null)" for name in ("original", "explicit", "sent")]
    misfits = [_is_misfit("c", column, path) for column, path in context.readable()]
    odd_number = f"regexp_matches(body, {literal(ODD_NUMBER)})"
    return f"coalesce({' or '.join([*unreadable, *filter(None, misfits), odd_number])}, false)"


def _is_misfit(struct: str, column: Column, path: Path) -> str:
    """Whether a value of the right kind is beyond what its column can hold; empty where none can be."""
    field = _field(struct, path)
    match column.type:
        case ColumnType.MOMENT:
            return f"({field} is not null and ({_moment(field)}) is null)"
        case ColumnType.INTEGER:
            return f"({field} is not null and try_cast({field} as bigint) is null)"
        case ColumnType.NUMBER:
            return f"abs({field}) >= {MAX_EXACT_INTEGER}"
        case _:
            return ""


def _context_value(column: Column, path: Path) -> str:
    """The connection's ip and user agent stand in where the client gave none."""
    value = _value("c", column, path)
    if column.name == "context_ip":
        return f"coalesce(nullif({value}, ''), nullif(ip, ''))"
    if column.name == "context_user_agent":
        return f"coalesce(nullif({value}, ''), nullif(user_agent, ''))"
    return value


def _own_values(table: Table, load: int) -> dict[str, str]:
    return {
        "tracks": {
            "event": "n.event",
            "event_text": "s.event_text",
            "properties": "coalesce(s.all_properties, s.body)",
            "_load": f"case when s.all_properties is null then {load} end",
        },
        "event": {"event": literal(table.name), "event_text": "s.event_text"},
        "groups": {"group_id": "s.group_id"},
        "aliases": {"previous_id": "s.previous_id"},
    }.get(table.kind, {})


def _rows_of(table: Table) -> str:
    match table.kind:
        case "tracks":
            return "left join event_names n using (event_text) where s.type = 'track'"
        case "event":
            named = f"select event_text from event_names where event = {literal(table.name)}"
            return f"where s.all_properties is not null and s.event_text in ({named})"
        case _:
            return f"where s.type = {literal(_TYPE_OF_TABLE[table.kind])}"


_TYPE_OF_TABLE = {"pages": "page", "screens": "screen", "identifies": "identify", "groups": "group", "aliases": "alias"}


def _read(json_value: str, columns: Columns) -> str:
    return f"json_transform({json_value}, {literal(json.dumps(_spec(columns.readable())))})"


def _spec(columns: Iterable[tuple[Column, Path]]) -> dict[str, Any]:
    """What json_transform looks for."""
    spec: dict[str, Any] = {}
    for column, path in columns:
        assert column.type is not None
        inner = spec
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = _READ_AS.get(column.type, SQL_TYPES[column.type])
    return spec or {"_": "VARCHAR"}


_READ_AS = {ColumnType.MOMENT: "VARCHAR", ColumnType.INTEGER: "HUGEINT"}
"""Wider than their columns, so that what does not fit shows."""


def _value(struct: str, column: Column, path: Path) -> str:
    field = _field(struct, path)
    match column.type:
        case ColumnType.MOMENT:
            return _moment(field)
        case ColumnType.INTEGER:
            return f"try_cast({field} as bigint)"
        case _:
            return field


def _field(struct: str, path: Path) -> str:
    return ".".join([struct, *map(quoted, path)])


def _moment(text: str) -> str:
    """A time in one of the forms that the SDKs write; null for every other form, which Python reads."""
    forms = " or ".join(
        f"{text} like '____-__-__T__:__:__{fraction}{zone}'" for zone in _ZONES for fraction in reversed(_FRACTIONS)
    )
    within = f"{text} between '0002' and '9998-12-31' and substr({text}, 12, 2) < '24'"
    return f"case when ({forms}) and {within} then try_cast({text} as timestamptz) end"
