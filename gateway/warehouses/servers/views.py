"""What analysts read on a server: `users`, the graph's tables under their public names, `person_events` and `persons`.

The same as in the DuckDB warehouse, in SQL that every dialect has, with the dialect's functions where they differ. They
are made of the columns that the server has, in its order: a column that was added is the last of a view too.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from gateway.model.junk import MAX_CHARACTERS, WORDS
from gateway.model.person import ANONYMOUS_ID, USER_ID
from gateway.warehouses.identity.tables import CLAIMS, LINKS, PLACES, TENURES
from gateway.warehouses.layout import fixed_columns
from gateway.warehouses.names import STANDARD_COLUMNS, TABLES_OF_TYPE, VIEWS
from gateway.warehouses.servers.dialect import Dialect, Pick
from gateway.warehouses.servers.grouping import Grouping, grouped
from gateway.warehouses.servers.session import Stored
from gateway.warehouses.values import ColumnType

SPACE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)
"""What Python's `strip` takes away."""

CAMPAIGN = ("source", "medium", "name", "term", "content")
_FROM_PLACES = ("cause", "owner_type", "owner", "is_shared")
PERSON_COLUMNS = ("person_id", "first_seen", "last_seen", "events", "user_id", "is_known")
TOUCHES = tuple(f"{which}_touch_{part}" for which in ("first", "last") for part in CAMPAIGN)


def create_views(dialect: Dialect, stored: Stored, blocklist: Collection[str]) -> Iterator[str]:
    """Statements, in the order in which they depend on each other. The six tables of the spec are there."""
    build = _Views(dialect, stored, blocklist)
    queries = {
        "users": build.users(),
        "identity_edges": build.edges(),
        "identity_spans": build.spans(),
        "person_events": build.person_events(),
        "identities": build.identities(),
        "persons": build.persons(),
    }
    if dialect.drops_views:
        yield from (f"drop view if exists {dialect.name(view)}" for view in VIEWS)
    for view, query in queries.items():
        yield dialect.sql(dialect.create_view.format(view=f"[{view}]", query=query))


def shown_columns(stored: Stored) -> Mapping[str, Sequence[str]]:
    """What the views are made of: where it changes, they are made anew."""
    return {table: tuple(stored.get(table, ())) for table in TABLES_OF_TYPE.values()}


def is_junk(dialect: Dialect, column: str, blocklist: Collection[str]) -> str:
    """`is_junk` of the model in SQL; a test compares the two."""
    text = dialect.lower.format(text=_trimmed(dialect, column, SPACE))
    listed = dialect.literals(sorted({*WORDS, *blocklist}))
    bracket = dialect.contains.format(text=text, part=dialect.literal("[object object]"))
    return (
        f"({text} in ({listed}) or {_trimmed(dialect, text, '0-')} = '' or {text} = '-1'"
        f" or {bracket} or {dialect.length.format(text=column)} > {MAX_CHARACTERS})"
    )


def _trimmed(dialect: Dialect, text: str, characters: str) -> str:
    return dialect.trim.format(text=text, characters=dialect.literal(characters))


class _Views:
    """The queries of the views, with names in square brackets."""

    def __init__(self, dialect: Dialect, stored: Stored, blocklist: Collection[str]) -> None:
        self._dialect = dialect
        self._stored = stored
        self._blocklist = blocklist

    def users(self) -> str:
        """Of each trait the latest value by the time of the event, whatever came in which order."""
        keys = ("[timestamp]", "[received_at]", "[id]")
        traits = [trait for trait in self._body_columns("identifies") if trait != "id"]
        return grouped(
            self._dialect,
            Grouping(
                key="[user_id]",
                name="id",
                source=f"{self._table('identifies')} where [user_id] is not null",
                calls={name: f"max([{name}])" for name in ("received_at", "timestamp")},
                picks={trait: Pick(f"[{trait}]", keys, is_latest=True) for trait in traits},
            ),
        )

    def edges(self) -> str:
        """Every claim and every link, with what came of it."""
        shared = f"[cause], [message_id], {self._moment('[us]')} as [timestamp], [refused]"
        return f"""
            select [claimant_type] as [left_type], [claimant] as [left_value], '{ANONYMOUS_ID}' as [right_type],
                [anonymous_id] as [right_value], {shared} from {self._graph(CLAIMS)}
            union all
            select [left_type], [left_value], [right_type], [right_value], {shared} from {self._graph(LINKS)}"""

    def spans(self) -> str:
        """Whose a device was, and when."""
        return f"""
            select [anonymous_id], [person_id], [owner_type], [owner], {self._moment("[from_us]")} as [from],
                {self._moment("[to_us]")} as [to] from {self._graph(TENURES)}"""

    def person_events(self) -> str:
        """Every event with its person."""
        columns = ["type", "event", "anonymous_id", "user_id", *self._shared(), "properties", *self._contexts()]
        us = self._dialect.us_of.format(moment="n.[timestamp]")
        is_junk_user, is_junk_device = (
            is_junk(self._dialect, column, self._blocklist) for column in ("[user_id]", "[anonymous_id]")
        )
        return f"""
            select case
                    when n.has_user then coalesce(p.[person_id], {self._person(USER_ID, "n.[user_id]")})
                    when n.has_device then coalesce(t.[person_id], {self._person(ANONYMOUS_ID, "n.[anonymous_id]")})
                end as [person_id], {self._truth("n.has_user")} as [is_identified], {_listed(columns, "n.")}
            from (
                select {_listed(columns)}, [user_id] is not null and not {is_junk_user} as has_user,
                    [anonymous_id] is not null and not {is_junk_device} as has_device
                from ({self._events()}) e) n
            left join {self._graph(PLACES, "p")} on p.[identifier_type] = '{USER_ID}' and p.[identifier] = n.[user_id]
            left join {self._graph(TENURES, "t")} on not n.has_user and t.[anonymous_id] = n.[anonymous_id]
                and (t.[from_us] is null or {us} >= t.[from_us]) and (t.[to_us] is null or {us} < t.[to_us])"""

    def identities(self) -> str:
        """Every identifier that is linked to anything, with its person."""
        seen = " union all ".join(
            f"select '{kind}' as [identifier_type], [{kind}] as [identifier],"
            " min([timestamp]) as first_seen, max([timestamp]) as last_seen"
            f" from {self._table('person_events')} where [{kind}] is not null group by [{kind}]"
            for kind in (USER_ID, ANONYMOUS_ID)
        )
        linked = self._moment("l.[us]")
        return f"""
            select {_listed(("identifier_type", "identifier", "person_id"), "l.")},
                coalesce(s.first_seen, {linked}) as [first_seen], coalesce(s.last_seen, {linked}) as [last_seen],
                {linked} as [linked_at], l.[message_id] as [linked_by], {_listed(_FROM_PLACES, "l.")}
            from {self._graph(PLACES, "l")} left join ({seen}) s
            on s.[identifier_type] = l.[identifier_type] and s.[identifier] = l.[identifier]"""

    def persons(self) -> str:
        """One row for each person: since when, how many events, campaigns, and the latest traits."""
        keys = ("[timestamp]", "[id]")
        of_events = grouped(
            self._dialect,
            Grouping(
                key="[person_id]",
                name="person_id",
                source=f"{self._table('person_events')} where [person_id] is not null",
                calls={"first_seen": "min([timestamp])", "last_seen": "max([timestamp])", "events": "count(*)"},
                picks={"user_id": Pick("[user_id]", keys, is_latest=True)} | self._touches(keys),
            ),
        )
        own = [f"o.[{name}]" for name in PERSON_COLUMNS if name != "is_known"]
        own += [f"{self._truth('o.[user_id] is not null')} as [is_known]"]
        own += [f"nullif(o.[{touch}], '') as [{touch}]" for touch in TOUCHES]
        traits = {trait: self._trait_name(trait) for trait in self._body_columns("identifies")}
        if not traits:
            return f"select {', '.join(own)} from ({of_events}) o"
        return f"""
            select {", ".join(own)}, {_listed(traits.values(), "i.")} from ({of_events}) o
            left join ({self._traits(traits)}) i on i.[person_id] = o.[person_id]"""

    # --- parts

    def _traits(self, traits: Mapping[str, str]) -> str:
        keys = ("i.[timestamp]", "i.[received_at]", "i.[id]")
        return grouped(
            self._dialect,
            Grouping(
                key="e.[person_id]",
                name="person_id",
                source=f"""{self._table("identifies")} i
                join {self._table("person_events")} e
                on e.[type] = 'identify' and e.[id] = i.[id] and e.[source] = i.[source]""",
                calls={},
                picks={name: Pick(f"i.[{trait}]", keys, is_latest=True) for trait, name in traits.items()},
            ),
        )

    def _trait_name(self, trait: str) -> str:
        return f"trait_{trait}" if trait in PERSON_COLUMNS or trait in TOUCHES else trait

    def _touches(self, keys: Sequence[str]) -> dict[str, Pick]:
        """Of the first and the last event with a campaign, all that it says of it; empty where it says nothing."""
        present = [part for part in CAMPAIGN if f"context_campaign_{part}" in self._stored["tracks"]]
        told = {part: self._text("tracks", f"context_campaign_{part}") for part in present}
        where = " or ".join(f"{text} is not null" for text in told.values()) or "true"
        nothing = self._dialect.text_of.format(value="null")
        return {
            f"{which}_touch_{part}": Pick(
                f"coalesce({told[part]}, '')" if part in told else nothing, keys, which == "last", where
            )
            for which in ("first", "last")
            for part in CAMPAIGN
        }

    def _events(self) -> str:
        return " union all ".join(self._events_of(kind, table) for kind, table in TABLES_OF_TYPE.items())

    def _events_of(self, kind: str, table: str) -> str:
        if kind == "track":
            event, properties = "[event_text]", "[properties]"
        else:
            has_name = kind in ("page", "screen") and "name" in self._stored[table]
            event = self._text(table, "name") if has_name else self._dialect.text_of.format(value="null")
            properties = self._dialect.null_json.format(type=self._stored["tracks"]["properties"])
        shared = _listed(["anonymous_id", "user_id", *self._shared()])
        contexts = "".join(f", [{name}]" for name in self._contexts())
        return f"""
            select '{kind}' as [type], {event} as [event], {shared}, {properties} as [properties]{contexts}
            from {self._table(table)}"""

    def _text(self, table: str, column: str) -> str:
        """What a column says, as a text. Not every server makes one of a boolean."""
        if self._stored[table][column] == self._dialect.types[ColumnType.BOOLEAN]:
            return f"case when [{column}] then 'true' when not [{column}] then 'false' end"
        is_json = self._stored[table][column] == self._dialect.types[ColumnType.JSON]
        text_of = (is_json and self._dialect.text_of_json) or self._dialect.text_of
        return text_of.format(value=f"[{column}]")

    def _shared(self) -> list[str]:
        return [name for name in STANDARD_COLUMNS if name not in ("anonymous_id", "user_id")]

    def _contexts(self) -> list[str]:
        """Those that all tables have alike."""
        shared = set(self._stored["tracks"].items())
        for table in TABLES_OF_TYPE.values():
            shared &= self._stored[table].items()
        columns = self._stored["tracks"].items()
        return [name for name, kind in columns if name.startswith("context_") and (name, kind) in shared]

    def _body_columns(self, table: str) -> list[str]:
        fixed = fixed_columns(table)
        return [name for name in self._stored[table] if name not in fixed and not name.startswith("context_")]

    def _graph(self, table: str, alias: str = "") -> str:
        return self._dialect.graph.format(table=self._table(table), alias=alias)

    def _table(self, name: str) -> str:
        return f"{self._dialect.place}[{name}]"

    def _truth(self, condition: str) -> str:
        return self._dialect.truth_of.format(condition=condition)

    def _moment(self, us: str) -> str:
        return self._dialect.moment_of.format(us=us)

    def _person(self, kind: str, column: str) -> str:
        """The id of a person of one identifier."""
        return self._dialect.md5.format(text=f"concat('{kind} ', {column})")


def _listed(names: Iterable[str], of: str = "") -> str:
    """Columns; those of one of several tables are called as they are there."""
    return ", ".join(f"{of}[{name}] as [{name}]" if of else f"[{name}]" for name in names)
