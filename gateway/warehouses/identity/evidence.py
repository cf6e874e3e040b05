"""What the staged events of a load say about who is who.

What is only implied (an event with both ids, which is most events of users) is reduced to one line an hour by the
engine; Python sees that and the identifies, aliases and groups.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import duckdb

from gateway.identity import Claim, Evidence, Link, Moment, Rules
from gateway.identity.devices import HOUR_US
from gateway.identity.evidence import ALIAS, EVENT
from gateway.model.junk import is_junk
from gateway.model.person import USER_ID, Identifier
from gateway.warehouses.identity.memory import Memory
from gateway.warehouses.names import literal
from gateway.warehouses.shaping.arrivals import rows_of

IDENTIFY = "identify"
GROUP = "group"
GROUP_ID = "group_id"

_GATHER_IMPLIED = f"""
    create or replace temp table implied as
    select anonymous_id, user_id, min(us) as us, arg_min(id, (us, id)) as id,
        (hash(anonymous_id, user_id, us // {HOUR_US}) >> 1)::bigint as key
    from (select anonymous_id, user_id, id, epoch_us(timestamp) as us from temp.staged
          where anonymous_id is not null and user_id is not null and type <> '{IDENTIFY}')
    group by anonymous_id, user_id, us // {HOUR_US}, key"""
_FETCH_NEWS = "select anonymous_id, user_id, us, id from temp.implied semi join news using (key)"


class Said(NamedTuple):
    """An identify, alias or group."""

    type: str
    message_id: str
    us: int
    anonymous_id: str | None
    user_id: str | None
    previous_id: str | None
    group_id: str | None
    strong: tuple[str | None, ...]
    """The traits that identify, in the order of the rules."""


def evidence_of(connection: duckdb.DuckDBPyConnection, rules: Rules, memory: Memory) -> Evidence:
    """Read `temp.staged`, of which repetitions are gone; without what `memory` has already."""
    seen = _Seen(rules, memory)
    for anonymous_id, user_id, us, message_id in _implied(connection, memory):
        seen.claim(anonymous_id, seen.identifier(USER_ID, user_id), Moment(us, message_id), EVENT)
    for said in _explicit(connection, rules):
        seen.take(said)
    return seen.evidence()


def _implied(connection: duckdb.DuckDBPyConnection, memory: Memory) -> list[tuple[Any, ...]]:
    """Most of it is known: only numbers are looked at until that is clear."""
    connection.execute(_GATHER_IMPLIED)
    columns = connection.execute("select key, us from temp.implied").fetchnumpy()
    news = [
        key for key, us in zip(columns["key"].tolist(), columns["us"].tolist(), strict=True) if memory.is_news(key, us)
    ]
    if not news:
        return []
    connection.register("news", rows_of({"key": news}))
    return connection.execute(_FETCH_NEWS).fetchall()


def _explicit(connection: duckdb.DuckDBPyConnection, rules: Rules) -> Iterator[Said]:
    strong = [f"body ->> {literal('$.' + _quoted(name))}" for name in rules.strong]
    columns = ["type", "id", "epoch_us(timestamp)", "anonymous_id", "user_id", "previous_id", "group_id", *strong]
    types = f"'{IDENTIFY}', '{ALIAS}', '{GROUP}'"
    for row in connection.execute(f"select {', '.join(columns)} from temp.staged where type in ({types})").fetchall():
        kind, message_id, us, anonymous_id, user_id, previous_id, group_id, *traits = row
        yield Said(kind, message_id, us, anonymous_id, user_id, previous_id, group_id, tuple(traits))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '\\"') + '"'


class _Seen:
    """The evidence as it gathers."""

    def __init__(self, rules: Rules, memory: Memory) -> None:
        self._rules = rules
        self._memory = memory
        self._claims: list[Claim] = []
        self._links: list[Link] = []
        self._memberships: list[Link] = []
        self._junk = 0

    def evidence(self) -> Evidence:
        return Evidence(self._claims, self._links, self._memberships, self._junk)

    def identifier(self, kind: str, value: str | None) -> Identifier | None:
        """None for what names nobody."""
        return Identifier(kind, value) if value is not None and self._names_somebody(value) else None

    def claim(self, device: str | None, claimant: Identifier | None, at: Moment, cause: str) -> None:
        if device is not None and claimant is not None and self._names_somebody(device):
            self._claims.append(Claim(device, claimant, at, cause))

    def _names_somebody(self, value: str) -> bool:
        is_nobody = is_junk(value, self._rules.blocklist)
        self._junk += is_nobody
        return not is_nobody

    def take(self, said: Said) -> None:
        at = Moment(said.us, said.message_id)
        user = self.identifier(USER_ID, said.user_id)
        match said.type:
            case "identify":
                self._identify(said, user, at)
            case "alias":
                self._alias(said, user, at)
            case _:
                group = self.identifier(GROUP_ID, said.group_id)
                if user is not None and group is not None and self._memory.is_news((user, group), at.us):
                    self._memberships.append(Link(user, group, at, GROUP))

    def _identify(self, said: Said, user: Identifier | None, at: Moment) -> None:
        strong = self._strong(said.strong)
        if user is not None:
            self.claim(said.anonymous_id, user, at, IDENTIFY)
        elif strong:
            self.claim(said.anonymous_id, strong[0], at, strong[0].type)
        claimant = user or (strong[0] if strong else None)
        if claimant is not None:
            self._links += [
                Link(claimant, each, at, each.type)
                for each in strong
                if each != claimant and self._memory.is_news((claimant, each), at.us)
            ]

    def _strong(self, values: Sequence[Any]) -> list[Identifier]:
        found = [
            self.identifier(kind, None if value is None else normalised(value))
            for kind, value in zip(self._rules.strong, values, strict=True)
        ]
        return [each for each in found if each is not None]

    def _alias(self, said: Said, user: Identifier | None, at: Moment) -> None:
        previous = self.identifier(USER_ID, said.previous_id)
        if user is None or previous is None or user == previous:
            return
        if said.previous_id != said.anonymous_id:
            self._links.append(Link(user, previous, at, ALIAS))
        self.claim(said.previous_id, user, at, ALIAS)


def normalised(value: str) -> str:
    """A strong identifier as it is compared: people write their address in many ways."""
    return value.strip().lower()
