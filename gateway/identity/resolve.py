"""What new evidence changes in the graph.

Everything that it touches is read, judged anew from all its links in the order of their time, and compared with what
was: so the order of arrival does not matter. Devices are judged by their claims, persons by the links between their
identifiers; a person's name follows from both. Cost depends on what is touched.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from gateway.identity.devices import counted, tenures
from gateway.identity.evidence import Claim, Evidence, Link, Moment, Pair, device_of, pair_of
from gateway.identity.guards import FROZEN, Guards
from gateway.identity.history import corrections_of, history_of
from gateway.identity.merging import IDENTIFIER_CAP, LIMIT, Merged, merge
from gateway.identity.naming import oldest, person_id_of
from gateway.identity.rules import Rules
from gateway.identity.store import Changes, Placement, Store
from gateway.model.person import Identifier

UNDONE = "undone"


def resolve(evidence: Evidence, store: Store, rules: Rules, guards: Guards, now_us: int | None) -> Changes:
    """The changes that a load's evidence makes.

    `now_us` is for the guards alone: when it came; None where it is history, and the time of each event counts.
    """
    return _Resolution(store, rules, guards, now_us).run(evidence)


class _Resolution:
    """One load's work, step by step; what the steps hand on to each other is here."""

    def __init__(self, store: Store, rules: Rules, guards: Guards, now_us: int | None) -> None:
        self._store = store
        self._rules = rules
        self._guards = guards
        self._now_us = now_us
        self._undone = store.undone()
        self._changes = Changes()
        self._before: dict[Identifier, Placement] = {}
        """Where everything stood that is touched."""
        self._asked: set[Identifier] = set()
        self._persons: set[str] = set()
        """Those of whom all members are known here: something happens to them."""

    def run(self, evidence: Evidence) -> Changes:
        edges: Iterable[Claim | Link] = (*evidence.claims, *evidence.links)
        self._look_up({identifier for edge in edges for identifier in edge.identifiers})
        claims = self._admitted_claims(evidence.claims)
        verdicts = self._surroundings(evidence.links)
        links = self._admitted_links(evidence.links, verdicts)
        self._look_up_persons(claims, links)
        devices = self._judge_devices(claims)
        merged = self._judge_links(links, verdicts)
        self._place(devices, merged, set(evidence.claims))
        self._changes.links |= dict.fromkeys(evidence.memberships, "")
        self._changes.frozen = self._guards.take_frozen()
        return self._changes

    # --- what is known

    def _look_up(self, identifiers: Collection[Identifier]) -> None:
        asked = set(identifiers) - self._asked - self._before.keys()
        if asked:
            self._asked |= asked
            self._before |= {each.identifier: each for each in self._store.placements(asked)}

    def _look_up_persons(self, claims: Mapping[str, Sequence[Claim]], links: Sequence[Link]) -> None:
        """All members of the persons to which something happens."""
        edges: Iterable[Claim | Link] = (*(claim for each in claims.values() for claim in each), *links)
        touched = {identifier for edge in edges for identifier in edge.identifiers}
        self._look_up(touched)
        self._persons = {self._before[each].person_id for each in touched if each in self._before}
        if self._persons:
            self._before |= {each.identifier: each for each in self._store.members(self._persons)}

    # --- what counts

    def _admitted_claims(self, new: Sequence[Claim]) -> dict[str, list[Claim]]:
        """All claims of the devices on which something may change."""
        moving = {claim.device for claim in new if self._may_move(claim)}
        known = {device for device in moving if device_of(device) in self._before}
        admitted: dict[str, list[Claim]] = defaultdict(list)
        for claim in self._store.claims(known) if known else ():
            admitted[claim.device].append(claim)
        pairs = {pair_of(claim) for claims in admitted.values() for claim in claims}
        for claim in new:
            reason = self._objection(claim, pairs) if claim.device in moving else ""
            self._changes.claims[claim] = reason
            if not reason and claim.device in moving:
                admitted[claim.device].append(claim)
        return admitted

    def _may_move(self, claim: Claim) -> bool:
        """Most claims only say again what is known."""
        device = self._before.get(device_of(claim.device))
        return device is None or device.is_shared or device.owner != claim.claimant or claim.at < device.born

    def _surroundings(self, new: Sequence[Link]) -> dict[Link, str]:
        """All earlier links that are connected to the new ones, whether they count or not, with the verdict on each."""
        verdicts: dict[Link, str] = {}
        seen: set[Identifier] = set()
        ahead = {each for link in new for each in link.identifiers if each in self._before}
        while ahead:
            seen |= ahead
            found = dict(self._store.links(ahead))
            verdicts |= found
            ahead = {each for link in found for each in link.identifiers} - seen
        return verdicts

    def _admitted_links(self, new: Sequence[Link], verdicts: Mapping[Link, str]) -> list[Link]:
        """The earlier links, and the new ones that may count."""
        pairs = {pair_of(link) for link in verdicts}
        admitted = list(verdicts)
        for link in new:
            reason = self._objection(link, pairs)
            if reason:
                self._changes.links[link] = reason
            elif link not in verdicts:
                admitted.append(link)
        return admitted

    def _objection(self, edge: Claim | Link, known: set[Pair]) -> str:
        pair = pair_of(edge)
        if pair in self._undone:
            return UNDONE
        if pair not in known and not self._guards.admits(pair, edge.at.us if self._now_us is None else self._now_us):
            return FROZEN
        known.add(pair)
        return ""

    # --- judgement

    def _judge_devices(self, claims: Mapping[str, list[Claim]]) -> dict[str, list[Claim]]:
        """The claims that count of each device; a person who has many devices gets no more."""
        sizes: dict[str, int] = defaultdict(int)
        for placement in self._before.values():
            sizes[placement.person_id] += 1
        judged: dict[str, list[Claim]] = {}
        for device, all_claims in claims.items():
            is_new = device_of(device) not in self._before
            kept = [claim for claim in all_claims if not (is_new and self._is_full(claim, sizes))]
            if kept:
                judged[device] = counted(kept)
                sizes[self._person_of(judged[device][0].claimant)] += is_new
        return judged

    def _is_full(self, claim: Claim, sizes: Mapping[str, int]) -> bool:
        if sizes[self._person_of(claim.claimant)] < self._rules.max_identifiers:
            return False
        self._changes.claims[claim] = IDENTIFIER_CAP
        return True

    def _person_of(self, identifier: Identifier) -> str:
        known = self._before.get(identifier)
        return known.person_id if known else person_id_of(identifier)

    def _judge_links(self, links: Sequence[Link], verdicts: Mapping[Link, str]) -> Merged:
        weights: dict[Identifier, int] = defaultdict(lambda: 1)
        for placement in self._before.values():
            if placement.owner is not None:
                weights[placement.owner] += 1
        merged = merge(links, self._rules, {link for link in links if link not in verdicts}, weights)
        for link in links:
            reason = merged.verdicts[link]
            if link not in verdicts:
                self._changes.links[link] = reason
            elif verdicts[link] != reason:
                self._changes.verdicts[link] = reason
        return merged

    # --- places

    def _place(self, devices: Mapping[str, list[Claim]], merged: Merged, new: set[Claim]) -> None:
        """New places for what is touched, and for all others of the same persons, where they differ."""
        before = {each: place for each, place in self._before.items() if place.person_id in self._persons}
        groups: dict[object, list[Placement]] = defaultdict(list)
        for placement in self._standing(before, devices, merged).values():
            groups[self._group_of(placement.owner or placement.identifier, merged)].append(placement)
        now: dict[Identifier, Placement] = {}
        for members in groups.values():
            person_id = person_id_of(oldest(members).identifier)
            now |= {member.identifier: member.of(person_id) for member in members}
        for identifier, placement in now.items():
            former = before.get(identifier)
            if placement != former:
                self._changes.placements.append(placement)
            if former and (placement != former or identifier.value in devices):
                self._changes.replaced.append(identifier)
            if former and former.person_id != placement.person_id and placement.owner is None:
                self._changes.moved[identifier] = placement.person_id
        self._changes.records += history_of(before, now, merged.joined)
        for device, claims in devices.items():
            stretches = [(tenure, now[tenure.owner].person_id) for tenure in tenures(claims)]
            self._changes.tenures[device] = stretches
            self._changes.records += corrections_of(device, claims, new, now)

    def _standing(
        self, before: Mapping[Identifier, Placement], devices: Mapping[str, list[Claim]], merged: Merged
    ) -> dict[Identifier, Placement]:
        """Everything that is touched, with the first of all its links, and devices with their owners."""
        edges: list[Claim | Link] = [claim for of_device in devices.values() for claim in of_device]
        edges += [link for link, reason in merged.verdicts.items() if reason in ("", LIMIT)]
        firsts: dict[Identifier, tuple[Moment, str]] = {}
        for edge in edges:
            for identifier in edge.identifiers:
                if identifier not in firsts or edge.at < firsts[identifier][0]:
                    firsts[identifier] = edge.at, edge.cause
        standing = dict(before)
        for identifier, (at, cause) in firsts.items():
            known = standing.get(identifier)
            if known is None:
                standing[identifier] = Placement(identifier, "", at, cause)
            elif at < known.born:
                standing[identifier] = known._replace(born=at, cause=cause)
        for device, of_device in devices.items():
            identifier = device_of(device)
            is_shared = len({claim.claimant for claim in of_device}) > 1
            standing[identifier] = standing[identifier]._replace(owner=of_device[0].claimant, is_shared=is_shared)
        return standing

    def _group_of(self, identifier: Identifier, merged: Merged) -> object:
        """What is one person: by the links that were judged now, else by what stood before."""
        together = merged.person_of.get(identifier)
        if together is not None:
            return together
        known = self._before.get(identifier)
        return known.person_id if known else identifier
