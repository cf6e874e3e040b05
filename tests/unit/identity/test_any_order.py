"""Whatever the order in which evidence comes, in whatever portions and however often, the graph is the one that a
computation from scratch finds."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import Claim, Guards, Link, Moment, Rules
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier
from tests.unit.identity.support.memory import BOUNDLESS, MemoryGraph
from tests.unit.identity.support.reference import truth

HOUR_US = 3_600_000_000
users = st.sampled_from("UVW").map(lambda name: Identifier(USER_ID, name))
emails = st.sampled_from("1234567").map(lambda name: Identifier("email", name))
phones = st.sampled_from("12").map(lambda name: Identifier("phone", name))
moments = st.builds(
    Moment, st.integers(0, 3).map(lambda n: n * HOUR_US // 2) | st.integers(0, 5), st.sampled_from("abc")
)
claims = st.builds(
    Claim, st.sampled_from("pq"), users | emails, moments, st.sampled_from(["event", "event", "identify"])
)
aliases = st.builds(Link, users, users, moments, st.just("alias"))
strong = st.one_of(
    st.builds(Link, users | emails, emails, moments, st.just("email")),
    st.builds(Link, users, phones, moments, st.just("phone")),
)
links = (aliases | strong | strong).filter(lambda link: link.left != link.right)
rules = st.builds(
    Rules,
    limits=st.sampled_from([{}, {"user_id": 2}, {"email": 1}, {"user_id": 3, "email": 2}]),
    strong=st.just(("phone", "email")),
    max_identifiers=st.just(BOUNDLESS),
    max_merges=st.just(BOUNDLESS),
)


class Portion(NamedTuple):
    """One load."""

    claims: Sequence[Claim]
    links: Sequence[Link]


@st.composite
def arrivals(draw: st.DrawFn) -> list[Portion]:
    """Evidence in portions; some of it comes again."""
    evidence = draw(st.lists(claims | links, min_size=1, max_size=30))
    again = draw(st.lists(st.sampled_from(evidence), max_size=5))
    arrived = draw(st.permutations([*evidence, *again]))
    cuts = sorted({0, len(arrived), *draw(st.lists(st.integers(0, len(arrived)), max_size=6))})
    return [
        Portion(
            [each for each in arrived[start:stop] if isinstance(each, Claim)],
            [each for each in arrived[start:stop] if isinstance(each, Link)],
        )
        for start, stop in pairwise(cuts)
    ]


@settings(max_examples=600)
@given(arrivals(), rules)
def test_the_graph_is_the_one_that_a_computation_from_scratch_finds(portions: list[Portion], rules: Rules):
    graph = MemoryGraph(rules)
    for portion in portions:
        graph.take(*portion)

    all_claims = [claim for portion in portions for claim in portion.claims]
    all_links = [link for portion in portions for link in portion.links]
    expected = truth(all_claims, all_links, rules)
    assert {each: place.person_id for each, place in graph.places.items()} == expected.person_of
    assert {each: place.born for each, place in graph.places.items()} == expected.born
    assert {device: [each for each, _ in found] for device, found in graph.tenures.items()} == expected.tenures
    for stretches in graph.tenures.values():
        assert [person for _, person in stretches] == [expected.person_of[each.owner] for each, _ in stretches]
    for device, stretches in expected.tenures.items():
        place = graph.places[Identifier(ANONYMOUS_ID, device)]
        assert place.owner == stretches[0].owner
    refused = {frozenset(link.identifiers) for link, reason in graph.link_verdicts.items() if reason}
    assert refused == expected.refused


@settings(max_examples=300)
@given(arrivals(), rules, st.integers(1, 5), st.integers(2, 6), st.integers(1, 4))
def test_guards_keep_apart_and_never_bring_together(
    portions: list[Portion], rules: Rules, links_an_hour: int, identifiers: int, merges: int
):
    """Without limits, which a refused link may leave room under for another one."""
    free = Rules({"user_id": BOUNDLESS, "email": BOUNDLESS, "phone": BOUNDLESS}, strong=rules.strong)
    guarded = Rules(free.limits, strong=rules.strong, max_identifiers=identifiers, max_merges=merges)
    graph = MemoryGraph(guarded, Guards(links_an_hour))
    for hour, portion in enumerate(portions):
        graph.take(*portion, now_us=hour // 2 * HOUR_US)

    all_claims = [claim for portion in portions for claim in portion.claims]
    all_links = [link for portion in portions for link in portion.links]
    without = truth(all_claims, all_links, free)
    people: dict[str, set[str]] = defaultdict(set)
    for identifier, place in graph.places.items():
        if place.owner is None:
            people[place.person_id].add(without.person_of[identifier])
        else:
            assert place.owner in {claim.claimant for claim in all_claims if claim.device == identifier.value}
    assert all(len(persons) == 1 for persons in people.values())
