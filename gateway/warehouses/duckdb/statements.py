"""The SQL of a load, made from the schema. Nothing here talks to a database.

`arrived` are the events of the load, `envelopes` their requests, `event_names` the tables of the tracks by name; all
three are Arrow columns. `staged` is a temporary table with one row for each event, its body still JSON. From there one
statement fills each table.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.model.event import FUTURE_TOLERANCE, SKEW_TOLERANCE
from gateway.warehouses.columns import Column, Columns
from gateway.warehouses.names import STANDARD_COLUMNS, literal, quoted
from gateway.warehouses.repair import PLAIN_FIELDS
from gateway.warehouses.schema import Schema, Table
from gateway.warehouses.values import ODD_NUMBER, ColumnType, Path

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
    "tracks": {"event": "VARCHAR", "event_text": "VARCHAR", "properties": "JSON"},
    "event": {"event": "VARCHAR", "event_text": "VARCHAR"},
    "groups": {"group_id": "VARCHAR"},
    "aliases": {"previous_id": "VARCHAR"},
}
"""Columns of a kind of table, besides those of all tables and those of the body."""
EXTRA = "_extra"

ARRIVED = "select position, envelope, raw, null as all_properties, null as extra from arrived"
REPAIRED = "select position, envelope, raw, nullif(all_properties, '') as all_properties, nullif(extra, '') as extra from repaired"

_JSON_FIELDS = ("context", "properties", "traits", "name", "category")
_TEXT_FIELDS = (*PLAIN_FIELDS, "timestamp", "originalTimestamp", "sentAt")
_EVENT_SPEC = dict.fromkeys(_TEXT_FIELDS, "VARCHAR") | dict.fromkeys(_JSON_FIELDS, "JSON")
_FRACTIONS = ("", ".___", ".______")
_ZONES = ("Z", "+0_:00", "-0_:00")
_DAY_US = 86_400_000_000


def create_staged(context: Columns) -> str:
    """An empty `staged` with room for the context as it is known now."""
    return f"create or replace temp table staged as {_read_events(ARRIVED, context)} limit 0"


def fill_staged(events: str, context: Columns) -> str:
    """`events` is ARRIVED or REPAIRED."""
    return f"insert into temp.staged {_read_events(events, context)}"


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


def fill_table(table: Table, context: Columns) -> str:
    """The rows of one table. The last column to be read is the body, once for all its keys."""
    values = {name: f"s.{quoted(name)}" for name in STANDARD_COLUMNS}
    values |= {column.name: f"s.{quoted(column.name)}" for column, _path in context.readable()}
    values |= {EXTRA: "s.extra"} | _own_values(table)
    source = f"temp.staged s {_rows_of(table)}"
    if table.kind != "tracks":
        values |= {column.name: _value("b", column, path) for column, path in table.columns.readable()}
        source = f"(select s.*, {_read('s.body', table.columns)} as b from {source}) s"
    names, expressions = ", ".join(map(quoted, values)), ", ".join(values.values())
    return f"insert into {quoted(table.name)} ({names}) select {expressions} from {source}"


def find_unreadable_moments(table: Table) -> str | None:
    """Positions of rows with a text that is no time in a column of times; None when the table has no such column."""
    moments = [(column, path) for column, path in table.columns.readable() if column.type is ColumnType.MOMENT]
    if not moments:
        return None
    spec = literal(json.dumps(_spec(moments)))
    unreadable = " or ".join(_is_unreadable(_field("b", path)) for _column, path in moments)
    rows = f"select s.position, json_transform(s.body, {spec}) as b from temp.staged s {_rows_of(table)}"
    return f"select position from ({rows}) where {unreadable}"


def _read_events(events: str, context: Columns) -> str:
    """One row for each event: the standard and the context columns, the body as JSON, and what tells odd ones."""
    columns = {
        "position": "position",
        "envelope": "envelope",
        "type": "e.type",
        "id": 'e."messageId"',
        "anonymous_id": 'e."anonymousId"',
        "user_id": 'e."userId"',
        "group_id": 'e."groupId"',
        "previous_id": 'e."previousId"',
        "event_text": "e.event",
        "channel": "e.channel",
        "source": "source",
        "received_at": "received_at",
        "sent_at": "sent_at",
        "original_timestamp": "coalesce(original, explicit, corrected)",
        "timestamp": "corrected",
        "body": "body",
        "all_properties": "all_properties",
        "extra": "extra",
        "shape": "hash(e.type, e.event, json_structure(e.context), json_structure(body))",
        "is_odd": _is_odd(context),
    }
    columns |= {column.name: _context_value(column, path) for column, path in context.readable()}
    listed = ", ".join(f"{value} as {quoted(name)}" for name, value in columns.items())
    return f"select {listed} from ({_with_corrected_time(_with_times(_with_parts(events, context)))})"


def _with_parts(events: str, context: Columns) -> str:
    event_spec = literal(json.dumps(_EVENT_SPEC))
    parsed = f"""
        select *, json_transform(raw, {event_spec}) as e, make_timestamptz(received_at_ms * 1000) as received_at
        from ({events}) join envelopes using (envelope)"""
    return f"select *, {_BODY} as body, {_read('e.context', context)} as c from ({parsed})"


_NAMED = "json_object('name', e.name, 'category', e.category)"
_BODY = f"""
    case
        when e.type = 'track' then e.properties
        when e.type in ('page', 'screen') then coalesce(json_merge_patch({_NAMED}, e.properties), {_NAMED})
        when e.type in ('identify', 'group') then coalesce(nullif(e.traits, '{{}}'), json_extract(e.context, '$.traits'))
    end"""
"""What `body_of` says, in SQL."""


def _with_times(parts: str) -> str:
    return f"""
        select *,
            {_moment('e."originalTimestamp"')} as original,
            {_moment("e.timestamp")} as explicit,
            {_moment('case when tells_sent_at = 1 then told_sent_at else e."sentAt" end')} as sent_at
        from ({parts})"""


def _with_corrected_time(times: str) -> str:
    """`corrected_timestamp` of the model in SQL; a property test compares the two."""
    happened = """case when e."originalTimestamp" is null then explicit else coalesce(explicit, original) end"""
    skewed = f"""
        (e."originalTimestamp" is null or explicit is null)
        and abs(epoch_us(received_at) - epoch_us(sent_at)) > {round(SKEW_TOLERANCE.total_seconds() * 1e6)}"""
    since = f"epoch_us({happened}) - epoch_us(case when {skewed} then sent_at else received_at end)"
    latest = round(FUTURE_TOLERANCE.total_seconds() * 1e6)
    return f"""
        select *, make_timestamptz(epoch_us(received_at) + case
            when since_received between -epoch_us(received_at) and {latest} then since_received else 0 end) as corrected
        from (select *, {since} as since_received from ({times}))"""


def _is_odd(context: Columns) -> str:
    """Whether the event says something that this SQL may not read as the model does."""
    times = ('e."originalTimestamp"', "e.timestamp", 'e."sentAt"')
    moments = [_field("c", path) for column, path in context.readable() if column.type is ColumnType.MOMENT]
    unreadable = [_is_unreadable(time) for time in (*times, *moments)]
    return " or ".join([*unreadable, f"regexp_matches(raw, {literal(ODD_NUMBER)})"])


def _context_value(column: Column, path: Path) -> str:
    """The connection's ip and user agent stand in where the client gave none."""
    value = _value("c", column, path)
    if column.name == "context_ip":
        return f"coalesce(nullif({value}, ''), nullif(ip, ''))"
    if column.name == "context_user_agent":
        return f"coalesce(nullif({value}, ''), nullif(user_agent, ''))"
    return value


def _own_values(table: Table) -> Mapping[str, str]:
    return {
        "tracks": {
            "event": "n.event",
            "event_text": "s.event_text",
            "properties": "coalesce(s.all_properties, s.body)",
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
            return f"where s.type = 'track' and s.event_text in ({named})"
        case _:
            return f"where s.type = {literal(_TYPE_OF_TABLE[table.kind])}"


_TYPE_OF_TABLE = {"pages": "page", "screens": "screen", "identifies": "identify", "groups": "group", "aliases": "alias"}


def _read(json_value: str, columns: Columns) -> str:
    return f"json_transform({json_value}, {literal(json.dumps(_spec(columns.readable())))})"


def _spec(columns: Iterable[tuple[Column, Path]]) -> dict[str, Any]:
    """What json_transform looks for. Times are read as texts, since DuckDB takes forms that the model does not."""
    spec: dict[str, Any] = {}
    for column, path in columns:
        assert column.type is not None
        inner = spec
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = "VARCHAR" if column.type is ColumnType.MOMENT else SQL_TYPES[column.type]
    return spec or {"_": "VARCHAR"}


def _value(struct: str, column: Column, path: Path) -> str:
    field = _field(struct, path)
    return _moment(field) if column.type is ColumnType.MOMENT else field


def _field(struct: str, path: Path) -> str:
    return ".".join([struct, *map(quoted, path)])


def _moment(text: str) -> str:
    """A time in one of the forms that the SDKs write; null for every other form, which Python reads."""
    forms = " or ".join(
        f"{text} like '____-__-__T__:__:__{fraction}{zone}'" for zone in _ZONES for fraction in reversed(_FRACTIONS)
    )
    within = f"{text} between '0002' and '9998-12-31' and substr({text}, 12, 2) < '24'"
    return f"case when ({forms}) and {within} then try_cast({text} as timestamptz) end"


def _is_unreadable(text: str) -> str:
    return f"({text} is not null and ({_moment(text)}) is null)"
