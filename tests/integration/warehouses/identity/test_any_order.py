"""Loads in any order and portion, repeated, and broken off before their commit: the tables say what a computation from
scratch says, and every row is the right person's."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from hashlib import md5
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.identity import Claim, Link, Moment, Rules
from gateway.model.clock import SystemClock
from gateway.model.errors import WarehouseError
from gateway.model.event import from_epoch_ms, to_iso
from gateway.model.junk import is_junk
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier, Tenure
from gateway.warehouses import Warehouse
from gateway.warehouses.duckdb import DuckDBSettings, open_duckdb
from gateway.warehouses.duckdb.identity import FileIdentity, views
from tests.integration.warehouses.identity.slow_machine import SlowMachine
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, Event, Store
from tests.unit.identity.support.reference import truth

HOUR_MS = 3_600_000
unique = count()
times_ms = st.integers(0, 3).map(lambda n: n * HOUR_MS // 2) | st.integers(0, 5)
devices = st.sampled_from(["p", "q", "r", "null"])
users = st.sampled_from(["U", "V", "W", "undefined"])
mails = st.sampled_from(["a@x", " A@X ", "b@x", "n/a"])
shapes = st.one_of(
    st.fixed_dictionaries({"type": st.just("page"), "anonymousId": devices}, optional={"userId": users}),
    st.fixed_dictionaries(
        {"type": st.just("identify"), "anonymousId": devices},
        optional={"userId": users, "traits": mails.map(lambda mail: {"email": mail})},
    ),
    st.fixed_dictionaries({"type": st.just("alias"), "userId": users, "previousId": users | devices}),
    st.fixed_dictionaries(
        {"type": st.just("track"), "event": st.just("E"), "userId": users}, optional={"anonymousId": devices}
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Event]]:
    """Events in the portions in which they are loaded; some come again."""
    shaped = draw(st.lists(st.tuples(shapes, times_ms), min_size=1, max_size=25))
    events = [
        shape | {"messageId": f"m{number:02}", "timestamp": to_iso(from_epoch_ms(RECEIVED_AT_MS - HOUR_MS * 9 + time))}
        for number, (shape, time) in enumerate(shaped)
    ]
    arrived = draw(st.permutations([*events, *draw(st.lists(st.sampled_from(events), max_size=4))]))
    cuts = sorted({0, len(arrived), *draw(st.lists(st.integers(0, len(arrived)), max_size=4))})
    return [list(arrived[start:stop]) for start, stop in pairwise(cuts)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), st.integers(0, 5), st.integers(0, 5), st.sampled_from([SystemClock, SlowMachine]))
def test_every_row_is_the_right_persons_whatever_came_when(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    portions: list[list[Event]],
    broken: int,
    restarted: int,
    clock: type[SystemClock],
):
    path = tmp_path / f"{next(unique)}.duckdb"
    asyncio.run(_load_and_compare(path, monkeypatch, portions, broken, restarted, clock()))


async def _load_and_compare(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    portions: list[list[Event]],
    broken: int,
    restarted: int,
    clock: SystemClock,
) -> None:
    """One load of `broken` fails before its commit; the process starts anew before `restarted`."""
    offset = 0
    for some in (portions[:restarted], portions[restarted:]):
        async with open_duckdb(DuckDBSettings(path=path), clock) as warehouse:
            store = Store(warehouse, path)
            store.offset = offset
            for portion in some:
                if portion is portions[min(broken, len(portions) - 1)]:
                    await _break_off(store, monkeypatch, portion)
                await store.load(*portion)
            offset = store.offset
    async with open_duckdb(DuckDBSettings(path=path), clock) as warehouse:
        await _compare(warehouse, Store(warehouse, path), portions)


async def _compare(warehouse: Warehouse, store: Store, portions: list[list[Event]]) -> None:
    events = {event["messageId"]: event for portion in portions for event in portion}
    claims, links = _evidence(list(events.values()))
    expected = truth(claims, links, Rules())

    placed = await store.rows("select identifier_type, identifier, person_id from identities")
    assert {Identifier(*row[:2]): row[2] for row in placed} == expected.person_of
    spans = await store.rows(
        'select anonymous_id, owner_type, owner, epoch_us("from"), epoch_us("to"), person_id from identity_spans'
    )
    stretches = {Tenure(row[0], Identifier(row[1], row[2]), row[3], row[4]): row[5] for row in spans}
    assert stretches == {each: expected.person_of[each.owner] for found in expected.tenures.values() for each in found}
    rows = await store.rows("select id, person_id from person_events")
    assert dict(rows) == {id_: _person(event, expected) for id_, event in events.items()}
    assert len(rows) == len(events)
    assert (await warehouse.rebuild_identity())["differences"] == 0


async def _break_off(store: Store, monkeypatch: pytest.MonkeyPatch, portion: list[Event]) -> None:
    """A load that fails after it has changed the graph, and before its commit."""
    take = FileIdentity.take

    def fail(self: FileIdentity, connection: duckdb.DuckDBPyConnection) -> None:
        take(self, connection)
        raise duckdb.IOException("the disk is gone")

    offset = store.offset
    lost = {"type": "identify", "messageId": f"lost{next(unique)}", "anonymousId": "z", "userId": "Z"}
    monkeypatch.setattr(FileIdentity, "take", fail)
    with pytest.raises(WarehouseError, match="the disk is gone"):
        await store.load(*portion, lost)
    monkeypatch.undo()
    store.offset = offset


def _evidence(events: Sequence[Event]) -> tuple[list[Claim], list[Link]]:
    """As docs/identity.md says what an event says."""
    claims, links = [], []
    for event in events:
        at = Moment(_us(event), event["messageId"])
        device, user = event.get("anonymousId"), event.get("userId")
        user_id = None if user is None or is_junk(user) else Identifier(USER_ID, user)
        mail = (event.get("traits") or {}).get("email", "").strip().lower()
        email = None if not mail or is_junk(mail) else Identifier("email", mail)
        claimant, cause = user_id, "identify" if event["type"] == "identify" else "event"
        if event["type"] == "identify" and email is not None:
            if user_id is None:
                claimant, cause = email, "email"
            else:
                links.append(Link(user_id, email, at, "email"))
        if device is not None and not is_junk(device) and claimant is not None:
            claims.append(Claim(device, claimant, at, cause))
        previous = event.get("previousId")
        if user_id is not None and previous is not None and not is_junk(previous) and previous != user:
            claims.append(Claim(previous, user_id, at, "alias"))
            if previous != device:
                links.append(Link(user_id, Identifier(USER_ID, previous), at, "alias"))
    return claims, links


def _person(event: Event, expected: Any) -> str | None:
    device, user = event.get("anonymousId"), event.get("userId")
    if user is not None and not is_junk(user):
        return expected.person_of.get(Identifier(USER_ID, user), _own(USER_ID, user))
    if device is None or is_junk(device):
        return None
    for each in expected.tenures.get(device, []):
        after = each.from_us is None or _us(event) >= each.from_us
        if after and (each.to_us is None or _us(event) < each.to_us):
            return expected.person_of[each.owner]
    return _own(ANONYMOUS_ID, device)


def _own(kind: str, value: str) -> str:
    return md5(f"{kind} {value}".encode(), usedforsecurity=False).hexdigest()


def _us(event: Event) -> int:
    return round(datetime.fromisoformat(event["timestamp"]).timestamp() * 1000) * 1000


@pytest.mark.parametrize("blocklist", [(), ("test", "it's")])
def test_sql_and_python_agree_on_what_names_nobody(blocklist: tuple[str, ...]):
    words = [
        "",
        " ",
        "NULL",
        " null\t",
        "0",
        "-1",
        "-10",
        "0-0",
        "00000000-0000-0000-0000-000000000000",
        "[object Object]",
    ]
    words += [
        "x[object Object]y",
        "Anonymous",
        "test",
        " TEST ",
        "it's",
        "u1",
        "a" * 512,
        "a" * 513,
        "ä" * 512,
        "\u00a0none\u2003",
    ]
    words += [
        "ann@shop.example",
        "none of us",
        "-",
        "--",
        "\x1cnull\x1f",
        "\u200bnull",
        "İ",
        "True",
        "false",
        "na",
        "N/A",
    ]
    with duckdb.connect() as connection:
        for word in words:
            ((said,),) = connection.execute(f"select {views.is_junk('$1', blocklist)}", [word]).fetchall()
            assert said == is_junk(word, blocklist), repr(word)
