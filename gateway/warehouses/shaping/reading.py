"""The SQL that reads events, made from the context's columns. Nothing here talks to a database.

`arrived` are the events of the load, `envelopes` their requests; both are Arrow columns. `staged` is a temporary table
with one row for each event, its body still JSON.
"""

import json

from gateway.model.event import FUTURE_TOLERANCE, SKEW_TOLERANCE
from gateway.warehouses.columns import Column, Columns
from gateway.warehouses.names import literal, quoted
from gateway.warehouses.repair import PLAIN_FIELDS
from gateway.warehouses.schema import Table
from gateway.warehouses.shaping.expressions import held, is_misfit, moment, read, read_some, value
from gateway.warehouses.shaping.rows import Texts, rows_of
from gateway.warehouses.values import ODD_NUMBER, ColumnType, Path

_ARRIVED = "select position, envelope, raw, null::varchar as all_properties, null::varchar as extra from arrived"
_REPAIRED = """
    select position, envelope, raw, nullif(all_properties, '') as all_properties, nullif(extra, '') as extra
    from repaired"""

_JSON_FIELDS = ("context", "properties", "traits", "name", "category")
_TEXT_FIELDS = (*PLAIN_FIELDS, "timestamp", "originalTimestamp", "sentAt")
_EVENT_SPEC = dict.fromkeys(_TEXT_FIELDS, "VARCHAR") | dict.fromkeys(_JSON_FIELDS, "JSON")


def stage(context: Columns) -> str:
    """`staged`: every event that arrived, with the context as far as it is known."""
    return f"create or replace temp table staged as {_read_events(_ARRIVED, context)}"


def stage_repaired(context: Columns) -> str:
    """The repaired events, in place of those that were there."""
    return f"insert into temp.staged {_read_events(_REPAIRED, context)}"


def find_unreadable_moments(table: Table, texts: Texts) -> str | None:
    """Positions of rows with a text that is no time in a column of times; None when the table has no such column."""
    moments = [(column, path) for column, path in table.columns.readable() if column.type is ColumnType.MOMENT]
    if not moments:
        return None
    unreadable = " or ".join(is_misfit("b", column, path, table.columns.capacity.era) for column, path in moments)
    rows = f"select s.position, {read_some('s.body', moments)} as b from temp.staged s {rows_of(table, texts)}"
    return f"select position from ({rows}) where {unreadable}"


def _read_events(events: str, context: Columns) -> str:
    """One row for each event: the standard and the context columns, the body as JSON, and what tells odd ones.

    In layers, each of which names what the next one uses more than once.
    """
    claimed = held("coalesce(original_us, explicit_us)", context.capacity.era)
    standard = {
        "original_timestamp": f"make_timestamptz(coalesce({claimed}, corrected_us))",
        "sent_at": f"make_timestamptz({held('sent_us', context.capacity.era)})",
        "received_at": "make_timestamptz(received_us)",
        "timestamp": "make_timestamptz(corrected_us)",
        "shape": "hash(type, event_text, json_structure(context), json_structure(body))",
        "is_odd": _is_odd(context),
    }
    plain = [*STAGED_PLAIN_COLUMNS, *(f"{sql} as {name}" for name, sql in standard.items())]
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
            e."originalTimestamp" as original, e.timestamp as explicit, e."sentAt" as sent, strlen(raw) as bytes
        from (select *, json_transform(raw, {spec}) as e from ({events}))"""


def _with_request(parsed: str) -> str:
    """What the request says of its time counts before what the event says; null stands for what cannot be read."""
    requests = f"select *, epoch_us({moment('told_sent_at')}) as told_us from envelopes"
    return f"""
        select * exclude (sent), received_at_ms * 1000 as received_us, case when tells_sent_at = 0 then sent end as sent
        from ({parsed}) join ({requests}) using (envelope)"""


def _with_times(events: str, context: Columns) -> str:
    """The client's times in microseconds, null where unreadable; the context as a struct `c`."""
    original, explicit, sent = (f"epoch_us({moment(name)})" for name in ("original", "explicit", "sent"))
    return f"""
        select *, {original} as original_us, {explicit} as explicit_us, coalesce({sent}, told_us) as sent_us,
            {read("context", context)} as c
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
    misfits = [is_misfit("c", column, path, context.capacity.era) for column, path in context.readable()]
    odd = [f"regexp_matches(body, {literal(ODD_NUMBER)})"]
    if context.capacity.longest_text is not None:
        odd += [f"bytes > {context.capacity.longest_text}", f"regexp_matches(context, {literal(ODD_NUMBER)})"]
    return f"coalesce({' or '.join([*unreadable, *filter(None, misfits), *odd])}, false)"


def _context_value(column: Column, path: Path) -> str:
    """The connection's ip and user agent stand in where the client gave none."""
    told = value("c", column, path)
    if column.name == "context_ip":
        return f"coalesce(nullif({told}, ''), nullif(ip, ''))"
    if column.name == "context_user_agent":
        return f"coalesce(nullif({told}, ''), nullif(user_agent, ''))"
    return told
