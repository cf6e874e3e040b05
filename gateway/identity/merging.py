"""Which identifiers are one person's. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gateway.identity.evidence import ALIAS, Link, Pair, pair_of
from gateway.identity.rules import Rules
from gateway.model.person import USER_ID, Identifier

LIMIT = "limit"
IDENTIFIER_CAP = "identifier_cap"
MERGE_CAP = "merge_cap"


@dataclass(slots=True)
class _Person:
    """A set of identifiers on its way. `users` counts user ids that are aliases of each other once."""

    members: set[Identifier]
    weight: int
    types: Counter[str]


@dataclass(slots=True)
class Merged:
    """Sets of identifiers that are one person's each; the links that joined them; and of each link why it does not
    count, empty where it does."""

    person_of: dict[Identifier, frozenset[Identifier]] = field(default_factory=dict)
    joined: list[Link] = field(default_factory=list)
    verdicts: dict[Link, str] = field(default_factory=dict)


def merge(links: Collection[Link], rules: Rules, new: set[Link], weights: Mapping[Identifier, int]) -> Merged:
    """Join what the links say, in the order in which it happened.

    `weights`: how many identifiers an identifier stands for, with its devices; 1 where it is not said. The caps bind
    only `new` links.
    """
    rank = {name: position for position, name in enumerate(rules.strong)}
    ordered = sorted(links, key=lambda link: (link.at, rank.get(link.cause, -1), link))
    judged: dict[tuple[Pair, bool], str] = {}
    persons: dict[Identifier, _Person] = {}
    aliases: dict[Identifier, Identifier] = {}
    merged = Merged()
    for link in ordered:
        key = pair_of(link), link.cause == ALIAS
        if key in judged:
            merged.verdicts[link] = judged[key]
            continue
        left, right = (_person(persons, identifier, weights) for identifier in link.identifiers)
        reason = "" if left is right else _objection(link, left, right, rules, is_new=link in new)
        judged[key] = merged.verdicts[link] = reason
        if reason:
            continue
        if left is not right:
            _join(persons, left, right)
            merged.joined.append(link)
        if link.cause == ALIAS and _unite(aliases, *link.identifiers):
            persons[link.left].types[USER_ID] -= 1
    for person in {id(person): person for person in persons.values()}.values():
        together = frozenset(person.members)
        merged.person_of |= dict.fromkeys(person.members, together)
    return merged


def _person(persons: dict[Identifier, _Person], identifier: Identifier, weights: Mapping[Identifier, int]) -> _Person:
    if identifier not in persons:
        persons[identifier] = _Person({identifier}, weights.get(identifier, 1), Counter([identifier.type]))
    return persons[identifier]


def _objection(link: Link, left: _Person, right: _Person, rules: Rules, *, is_new: bool) -> str:
    if is_new and left.weight + right.weight > rules.max_identifiers:
        return IDENTIFIER_CAP
    if is_new and len(left.members) + len(right.members) - 1 > rules.max_merges:
        return MERGE_CAP
    together = left.types + right.types
    if link.cause != ALIAS and any(count > rules.limit(each) for each, count in together.items()):
        return LIMIT
    return ""


def _join(persons: dict[Identifier, _Person], left: _Person, right: _Person) -> None:
    large, small = (left, right) if len(left.members) >= len(right.members) else (right, left)
    large.members |= small.members
    large.weight += small.weight
    large.types += small.types
    for member in small.members:
        persons[member] = large


def _unite(aliases: dict[Identifier, Identifier], left: Identifier, right: Identifier) -> bool:
    """Whether the two were not aliases of each other before."""
    first, second = (_root(aliases, identifier) for identifier in (left, right))
    if first == second:
        return False
    aliases[max(first, second)] = min(first, second)
    return True


def _root(aliases: Mapping[Identifier, Identifier], identifier: Identifier) -> Identifier:
    while identifier in aliases:
        identifier = aliases[identifier]
    return identifier
