"""What analysts read: the graph's tables under their public names, `person_events` and `persons`.

They are made anew whenever the events' columns grow.
"""

from collections.abc import Collection, Iterable, Iterator

from gateway.model.person import ANONYMOUS_ID, USER_ID
from gateway.warehouses.identity.tables import CLAIMS, LINKS, PLACES, TENURES
from gateway.warehouses.names import STANDARD_COLUMNS, TABLES_OF_TYPE, literal, quoted
from gateway.warehouses.schema import Schema

CAMPAIGN = ("source", "medium", "name", "term", "content")
PERSON_COLUMNS = ("person_id", "first_seen", "last_seen", "events", "user_id", "is_known")


def create_views(schema: Schema, blocklist: Collection[str]) -> Iterator[str]:
    """Statements, in the order in which they depend on each other."""
    yield f"create or replace view identity_edges as {EDGES}"
    yield f"create or replace view identity_spans as {SPANS}"
    yield f"create or replace view person_events as {_person_events(schema, blocklist)}"
    yield f"create or replace view identities as {_IDENTITIES}"
    yield f"create or replace view persons as {_persons(schema)}"


EDGES = f"""
    select claimant_type as left_type, claimant as left_value, '{ANONYMOUS_ID}' as right_type,
        anonymous_id as right_value, cause, message_id, make_timestamptz(us) as timestamp, refused from {CLAIMS}
    union all
    select left_type, left_value, right_type, right_value, cause, message_id, make_timestamptz(us), refused
    from {LINKS}"""

SPANS = f"""
    select anonymous_id, person_id, owner_type, owner, make_timestamptz(from_us) as "from",
        make_timestamptz(to_us) as "to" from {TENURES}"""

_IDENTITIES = f"""
    with seen as (
        select '{USER_ID}' as identifier_type, user_id as identifier, min(timestamp) as first_seen,
            max(timestamp) as last_seen from person_events where user_id is not null group by user_id
        union all
        select '{ANONYMOUS_ID}', anonymous_id, min(timestamp), max(timestamp) from person_events
        where anonymous_id is not null group by anonymous_id)
    select identifier_type, identifier, person_id, coalesce(first_seen, make_timestamptz(us)) as first_seen,
        coalesce(last_seen, make_timestamptz(us)) as last_seen, make_timestamptz(us) as linked_at,
        message_id as linked_by, cause, owner_type, owner, is_shared
    from {PLACES} left join seen using (identifier_type, identifier)"""


def is_junk(column: str, blocklist: Collection[str]) -> str:
    """`is_junk` of the model in SQL; a test compares the two."""
    words = "'null', 'undefined', 'none', 'nil', 'nan', 'n/a', 'na', 'unknown', 'anonymous', 'guest', 'true', 'false'"
    listed = ", ".join([words, *map(literal, sorted(blocklist))])
    text = f"lower({_stripped(column)})"
    return (
        f"({text} in ({listed}) or trim({text}, '0-') = '' or {text} = '-1'"
        f" or contains({text}, '[object object]') or length({column}) > 512)"
    )


def _stripped(column: str) -> str:
    """Without the space that Python's `strip` takes away."""
    return rf"regexp_replace({column}, '^[\s\x0B\x1C-\x1F\x85\p{{Z}}]+|[\s\x0B\x1C-\x1F\x85\p{{Z}}]+$', '', 'g')"


def _person_events(schema: Schema, blocklist: Collection[str]) -> str:
    contexts = [quoted(column.name) for column in schema.context.by_name.values() if column.type is not None]
    shared = [quoted(name) for name in STANDARD_COLUMNS if name not in ("anonymous_id", "user_id")]
    selects = []
    for kind, table in TABLES_OF_TYPE.items():
        if schema.tables[table].is_stored or table in schema.growth.tables:
            event, properties = _names(schema, kind, table)
            listed = ", ".join([f"'{kind}' as type", event, "anonymous_id", "user_id", *shared, properties, *contexts])
            selects.append(f"select {listed} from {quoted(table)}")
    return persons_of(" union all ".join(selects), blocklist)


def persons_of(events: str, blocklist: Collection[str]) -> str:
    """A query for these events, with `person_id` and `is_identified`."""
    return f"""
        with named as (
            select *, user_id is not null and not {is_junk("user_id", blocklist)} as has_user,
                anonymous_id is not null and not {is_junk("anonymous_id", blocklist)} as has_device
            from ({events}))
        select case
                when has_user then coalesce(p.person_id, md5('{USER_ID} ' || n.user_id))
                when has_device then coalesce(t.person_id, md5('{ANONYMOUS_ID} ' || n.anonymous_id))
            end as person_id, has_user as is_identified, n.* exclude (has_user, has_device)
        from named n
        left join {PLACES} p on p.identifier_type = '{USER_ID}' and p.identifier = n.user_id
        left join {TENURES} t on not has_user and t.anonymous_id = n.anonymous_id
            and (t.from_us is null or epoch_us(n.timestamp) >= t.from_us)
            and (t.to_us is null or epoch_us(n.timestamp) < t.to_us)"""


def _names(schema: Schema, kind: str, table: str) -> tuple[str, str]:
    """What the event is called, and its properties where they are kept whole."""
    if kind == "track":
        return "event_text as event", "properties"
    named = schema.tables[table].columns.by_name.get("name")
    name = "name" if kind in ("page", "screen") and named is not None and named.type is not None else "null"
    return f"{name}::varchar as event", "null::json as properties"


def _persons(schema: Schema) -> str:
    touches = ", ".join(_touches(schema))
    known = {*PERSON_COLUMNS, *(f"{which}_touch_{part}" for which in ("first", "last") for part in CAMPAIGN)}
    columns = schema.tables["identifies"].columns.by_name.values()
    traits = [column.name for column in columns if column.type is not None]
    latest = "(i.timestamp, i.received_at, i.id)"
    listed = "".join(
        f", arg_max(i.{quoted(trait)}, {latest}) as {quoted(f'trait_{trait}' if trait in known else trait)}"
        for trait in traits
    )
    return f"""
        with of_events as (
            select person_id, min(timestamp) as first_seen, max(timestamp) as last_seen, count(*) as events,
                arg_max(user_id, (timestamp, id)) as user_id, count(user_id) > 0 as is_known, {touches}
            from person_events where person_id is not null group by person_id),
        of_traits as (
            select e.person_id{listed} from identifies i join person_events e
            on e.type = 'identify' and e.id = i.id and e.source = i.source group by e.person_id)
        select * from of_events left join of_traits using (person_id)"""


def _touches(schema: Schema) -> Iterable[str]:
    """Of the first and the last event with a campaign, all that it says of it."""
    present = [part for part in CAMPAIGN if f"context_campaign_{part}" in schema.context.by_name]
    told = ", ".join(f"context_campaign_{part}::varchar" for part in present)
    has_campaign = f"coalesce({told or 'null'}, null)"
    for which, function in (("first", "arg_min"), ("last", "arg_max")):
        for part in CAMPAIGN:
            value = f"coalesce(context_campaign_{part}::varchar, '')" if part in present else "''"
            touch = f"nullif({function}({value}, (timestamp, id)) filter (where {has_campaign} is not null), '')"
            yield f"{touch} as {which}_touch_{part}"
