"""What the graph must say of events, computed from scratch, and whether it says so."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

from gateway.identity import Claim, Link, Moment, Rules
from gateway.model.junk import is_junk
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier, Tenure
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Event, Store
from tests.unit.identity.support.reference import truth

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def assert_right(place: Place, store: Store, events: Sequence[Event]) -> None:
    """Every identifier, stretch of a device and event is the right person's, and a rebuild says the same."""
    expected = truth(*_evidence(events), Rules())

    placed = await store.rows("select identifier_type, identifier, person_id from identities")
    assert {Identifier(*row[:2]): row[2] for row in placed} == expected.person_of
    since, until = map(place.kind.quoted, ("from", "to"))
    spans = await store.rows(f"select anonymous_id, owner_type, owner, {since}, {until}, person_id from identity_spans")
    stretches = {Tenure(row[0], Identifier(row[1], row[2]), _us(row[3]), _us(row[4])): row[5] for row in spans}
    assert stretches == {each: expected.person_of[each.owner] for found in expected.tenures.values() for each in found}
    answer = await store.warehouse.query("select id, person_id from person_events", 100_000, 60)
    rows = dict(map(tuple, answer.rows))
    assert rows == {event["messageId"]: _person(event, expected) for event in events}
    assert len(rows) == len(answer.rows)
    assert (await store.warehouse.rebuild_identity())["differences"] == 0


def _evidence(events: Sequence[Event]) -> tuple[list[Claim], list[Link]]:
    """As docs/identity.md says what an event says."""
    claims, links = [], []
    for event in events:
        at = Moment(_at_us(event), event["messageId"])
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
        after = each.from_us is None or _at_us(event) >= each.from_us
        if after and (each.to_us is None or _at_us(event) < each.to_us):
            return expected.person_of[each.owner]
    return _own(ANONYMOUS_ID, device)


def _own(kind: str, value: str) -> str:
    return md5(f"{kind} {value}".encode(), usedforsecurity=False).hexdigest()


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // timedelta(microseconds=1)


def _at_us(event: Event) -> int:
    us = _us(datetime.fromisoformat(event["timestamp"]))
    assert us is not None
    return us
