"""Which identifiers are one person's."""

from gateway.identity import Link, Moment, Rules
from gateway.identity.merging import IDENTIFIER_CAP, LIMIT, MERGE_CAP, Merged, merge
from gateway.model.person import USER_ID, Identifier

ANN, BOB, CAT = (Identifier(USER_ID, name) for name in ("ann", "bob", "cat"))
MAIL = Identifier("email", "a@shop.example")
PHONE = Identifier("phone", "+49 1")


def link(left: Identifier, right: Identifier, us: int, cause: str | None = None) -> Link:
    return Link(left, right, Moment(us, f"m{us}"), cause or right.type)


def merged(*links: Link, rules: Rules | None = None, weights: dict[Identifier, int] | None = None) -> Merged:
    return merge(links, rules or Rules(), set(links), weights or {})


def test_a_user_and_their_address_are_one():
    assert merged(link(ANN, MAIL, 1)).person_of == dict.fromkeys((ANN, MAIL), frozenset({ANN, MAIL}))


def test_a_second_user_with_the_address_stays_apart():
    first, second = link(ANN, MAIL, 1), link(BOB, MAIL, 2)

    found = merged(second, first)

    assert found.verdicts == {first: "", second: LIMIT}
    assert found.person_of[BOB] == {BOB}


def test_an_alias_lets_two_users_share_it():
    assert merged(link(BOB, ANN, 1, "alias"), link(ANN, MAIL, 2), link(BOB, MAIL, 3)).person_of[BOB] == {ANN, BOB, MAIL}


def test_an_alias_joins_two_persons_who_have_an_address_each():
    other = Identifier("email", "b@shop.example")

    found = merged(link(ANN, MAIL, 1), link(BOB, other, 2), link(BOB, ANN, 3, "alias"))

    assert found.person_of[MAIL] == {ANN, BOB, MAIL, other}
    assert found.joined[-1].cause == "alias"


def test_five_addresses_and_no_more():
    links = [link(ANN, Identifier("email", f"{number}@shop.example"), number) for number in range(6)]

    assert list(merged(*links).verdicts.values()) == [""] * 5 + [LIMIT]


def test_a_limit_of_the_owner_counts_instead():
    links = [link(ANN, Identifier("email", f"{number}@shop.example"), number) for number in range(2)]

    assert list(merged(*links, rules=Rules(limits={"email": 1})).verdicts.values()) == ["", LIMIT]


def test_the_weaker_identifier_of_an_event_gives_way():
    """Ann's event says both: the address is hers, the telephone is somebody else's already."""
    rules = Rules(strong=("email", "phone"))
    bobs, strong, weak = link(BOB, PHONE, 1), link(ANN, MAIL, 2), link(ANN, PHONE, 2)

    found = merged(weak, strong, bobs, rules=rules)

    assert found.verdicts == {bobs: "", strong: "", weak: LIMIT}


def test_a_person_who_stands_for_too_many_identifiers_gains_no_more():
    found = merged(link(ANN, MAIL, 1), rules=Rules(max_identifiers=10), weights={ANN: 10})

    assert list(found.verdicts.values()) == [IDENTIFIER_CAP]


def test_a_person_of_too_many_merges_gains_no_more():
    found = merged(link(BOB, ANN, 1, "alias"), link(CAT, ANN, 2, "alias"), rules=Rules(max_merges=1))

    assert list(found.verdicts.values()) == ["", MERGE_CAP]


def test_the_same_said_again_is_judged_the_same():
    assert list(merged(link(ANN, MAIL, 1), link(BOB, MAIL, 2), link(BOB, MAIL, 3)).verdicts.values()) == [
        "",
        LIMIT,
        LIMIT,
    ]
