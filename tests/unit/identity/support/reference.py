"""Who is who, computed from scratch as docs/identity.md says it: connected components, and the rules.

Written apart from the gateway's own code, which it judges: simple, slow, and for all evidence at once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import md5

import networkx as nx

from gateway.identity import Claim, Link, Moment, Rules
from gateway.model.person import Identifier, Tenure

HOUR_US = 3_600_000_000


@dataclass
class Truth:
    """What the graph must say in the end."""

    person_of: dict[Identifier, str] = field(default_factory=dict)
    born: dict[Identifier, Moment] = field(default_factory=dict)
    tenures: dict[str, list[Tenure]] = field(default_factory=dict)
    refused: set[frozenset[Identifier]] = field(default_factory=set)
    """Pairs that a limit keeps apart; an alias of the same pair may still join them."""


def truth(claims: Sequence[Claim], links: Sequence[Link], rules: Rules) -> Truth:
    """All of it."""
    result = Truth()
    people: nx.Graph[Identifier] = nx.Graph()
    for claim in claims:
        people.add_node(claim.claimant)
    for link in links:
        people.add_nodes_from((link.left, link.right))
    _join(people, links, rules, result)
    _divide(claims, result)
    _name(people, claims, links, result)
    return result


def _join(people: "nx.Graph[Identifier]", links: Sequence[Link], rules: Rules, result: Truth) -> None:
    aliases: nx.Graph[Identifier] = nx.Graph()
    aliases.add_nodes_from(people)
    judged = set()
    for link in sorted(
        links, key=lambda link: (link.at, -1 if link.cause == "alias" else rules.strong.index(link.cause), link)
    ):
        pair, is_alias = frozenset((link.left, link.right)), link.cause == "alias"
        if (pair, is_alias) in judged:
            continue
        judged.add((pair, is_alias))
        together = nx.node_connected_component(people, link.left) | nx.node_connected_component(people, link.right)
        if not is_alias and not nx.has_path(people, link.left, link.right) and _is_too_much(together, aliases, rules):
            result.refused.add(pair)
            continue
        people.add_edge(link.left, link.right)
        if is_alias:
            aliases.add_edge(link.left, link.right)


def _is_too_much(together: set[Identifier], aliases: "nx.Graph[Identifier]", rules: Rules) -> bool:
    kinds = Counter(each.type for each in together)
    users = aliases.subgraph(each for each in together if each.type == "user_id")
    kinds["user_id"] = nx.number_connected_components(users)
    return any(count > rules.limits.get(kind, 1 if kind == "user_id" else 5) for kind, count in kinds.items())


def _divide(claims: Sequence[Claim], result: Truth) -> None:
    for device in {claim.device for claim in claims}:
        own = sorted(
            (claim for claim in claims if claim.device == device), key=lambda claim: (claim.at, claim.claimant)
        )
        hours, counting = set(), []
        for claim in own:
            hour = (claim.claimant, claim.at.us // HOUR_US)
            if claim.cause == "event" and hour in hours:
                continue
            if claim.cause == "event":
                hours.add(hour)
            counting.append(claim)
        holder, start = counting[0].claimant, None
        stretches = []
        for claim in counting:
            if claim.claimant != holder:
                stretches.append(Tenure(device, holder, start, claim.at.us))
                holder, start = claim.claimant, claim.at.us
        stretches.append(Tenure(device, holder, start, None))
        result.tenures[device] = [each for each in stretches if each.from_us is None or each.from_us != each.to_us]


def _name(people: "nx.Graph[Identifier]", claims: Sequence[Claim], links: Sequence[Link], result: Truth) -> None:
    for edge in (*claims, *links):
        for identifier in edge.identifiers:
            result.born[identifier] = min(edge.at, result.born.get(identifier, edge.at))
    for person in nx.connected_components(people):
        devices = {
            Identifier("anonymous_id", device)
            for device, stretches in result.tenures.items()
            if stretches[0].owner in person
        }
        members = person | devices
        oldest = min(members, key=lambda each: (result.born[each], each.type != "anonymous_id", each))
        person_id = md5(f"{oldest.type} {oldest.value}".encode(), usedforsecurity=False).hexdigest()
        result.person_of |= dict.fromkeys(members, person_id)
