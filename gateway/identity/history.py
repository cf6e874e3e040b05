"""What happened to persons, in words that can be kept: merges, splits, and corrections by late events. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from gateway.identity.devices import starts
from gateway.identity.evidence import ALIAS, Claim, Link, Moment
from gateway.identity.naming import person_id_of
from gateway.identity.store import Placement, Record
from gateway.model.person import Identifier

MERGE = "merge"
SPLIT = "split"
CORRECTION = "correction"
OLDER = "older"
"""An event that came late made another identifier the oldest."""

Places = Mapping[Identifier, Placement]


def history_of(before: Places, now: Places, joined: Iterable[Link]) -> list[Record]:
    """What became of the persons. `now`: the places that are new or have changed."""
    person_after = {each: place.person_id for each, place in before.items() if place.owner is None}
    person_after |= {each: place.person_id for each, place in now.items() if place.owner is None}
    heirs: dict[str, set[str]] = defaultdict(set)
    for identifier, place in before.items():
        if place.owner is None:
            heirs[place.person_id].add(person_after[identifier])
    merges = list(_merges(before, person_after, joined))
    absorbed = {record.other for record in merges}
    born = _births((*now.values(), *before.values()))
    renamed = [
        Record(CORRECTION, heir, person, OLDER, born[heir])
        for person, all_heirs in heirs.items()
        for heir in all_heirs
        if len(all_heirs) == 1 and heir != person and person not in absorbed
    ]
    split = [
        Record(SPLIT, heir, person, OLDER, born[heir])
        for person, all_heirs in heirs.items()
        for heir in sorted(all_heirs - {person})
        if len(all_heirs) > 1
    ]
    return [*merges, *renamed, *split]


def corrections_of(device: str, claims: Sequence[Claim], new: AbstractSet[Claim], places: Places) -> Iterable[Record]:
    """Stretches of a device that begin with an event that came after one that happened later."""
    last_known = max((claim.at for claim in claims if claim not in new), default=None)
    for start in starts(claims):
        if start in new and last_known is not None and start.at < last_known:
            yield Record(CORRECTION, places[start.claimant].person_id, device, start.cause, start.at)


def _merges(before: Places, person_after: Mapping[Identifier, str], joined: Iterable[Link]) -> Iterable[Record]:
    into: dict[str, str] = {}
    for link in joined:
        if link.cause != ALIAS and any(each not in before for each in link.identifiers):
            continue
        left, right = (_last(into, _person_before(before, each)) for each in link.identifiers)
        survivor = person_after[link.left]
        lost, kept = (left, right) if right == survivor else (right, left)
        if left != right:
            into[lost] = kept
            yield Record(MERGE, survivor, lost, link.cause, link.at)


def _person_before(before: Places, identifier: Identifier) -> str:
    """Who is not linked to anybody is a person of his own."""
    known = before.get(identifier)
    return known.person_id if known else person_id_of(identifier)


def _last(into: Mapping[str, str], person_id: str) -> str:
    while person_id in into:
        person_id = into[person_id]
    return person_id


def _births(places: Iterable[Placement]) -> Mapping[str, Moment]:
    """By person, the first of its links."""
    births: dict[str, Moment] = {}
    for place in places:
        known = births.get(place.person_id)
        if known is None or place.born < known:
            births[place.person_id] = place.born
    return births
