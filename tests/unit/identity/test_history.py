"""What happened to persons, in words."""

from gateway.identity import Claim, Link, Moment, Placement
from gateway.identity.history import corrections_of, history_of
from gateway.identity.naming import person_id_of
from gateway.model.person import USER_ID, Identifier

ANN, BOB = Identifier(USER_ID, "ann"), Identifier(USER_ID, "bob")
ANNS, BOBS = person_id_of(ANN), person_id_of(BOB)


def place(identifier: Identifier, person_id: str, us: int) -> Placement:
    return Placement(identifier, person_id, Moment(us, f"m{us}"), "identify")


def placed(*places: Placement) -> dict[Identifier, Placement]:
    return {each.identifier: each for each in places}


def test_a_merge_says_who_was_lost_and_why():
    before = placed(place(ANN, ANNS, 1), place(BOB, BOBS, 2))
    alias = Link(BOB, ANN, Moment(9, "m9"), "alias")

    (record,) = history_of(before, placed(place(ANN, ANNS, 1), place(BOB, ANNS, 2)), [alias])

    assert (record.kind, record.person_id, record.other, record.cause) == ("merge", ANNS, BOBS, "alias")
    assert record.at == Moment(9, "m9")


def test_a_person_with_an_older_identifier_than_was_known_is_corrected():
    (record,) = history_of(placed(place(BOB, BOBS, 5)), placed(place(BOB, ANNS, 5)), [])

    assert (record.kind, record.person_id, record.other, record.cause) == ("correction", ANNS, BOBS, "older")


def test_a_person_who_falls_apart_is_split():
    before = placed(place(ANN, ANNS, 1), place(BOB, ANNS, 2))

    (record,) = history_of(before, placed(place(ANN, ANNS, 1), place(BOB, BOBS, 2)), [])

    assert (record.kind, record.person_id, record.other) == ("split", BOBS, ANNS)


def test_nothing_happened_where_all_is_as_before():
    before = placed(place(ANN, ANNS, 1))

    assert history_of(before, before, []) == []


def test_a_border_that_moves_by_a_late_event_is_a_correction():
    claims = [Claim("d", user, Moment(us, f"m{us}"), "identify") for user, us in ((ANN, 1), (BOB, 5), (ANN, 9))]
    late = claims[1]

    (record,) = corrections_of("d", claims, {late}, placed(place(ANN, ANNS, 1), place(BOB, BOBS, 5)))

    assert (record.kind, record.person_id, record.other, record.at) == ("correction", BOBS, "d", late.at)


def test_an_event_that_comes_in_its_time_corrects_nothing():
    claims = [Claim("d", user, Moment(us, f"m{us}"), "identify") for user, us in ((ANN, 1), (BOB, 5))]

    assert list(corrections_of("d", claims, {claims[1]}, placed(place(ANN, ANNS, 1), place(BOB, BOBS, 5)))) == []
