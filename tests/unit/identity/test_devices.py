"""Whose a device is, and when."""

from gateway.identity import Claim, Moment
from gateway.identity.devices import HOUR_US, counted, tenures
from gateway.model.person import USER_ID, Identifier, Tenure

ANN, BOB = Identifier(USER_ID, "ann"), Identifier(USER_ID, "bob")


def claim(user: Identifier, us: int, cause: str = "identify", message_id: str = "m") -> Claim:
    return Claim("d", user, Moment(us, message_id), cause)


def test_the_first_user_has_the_device_from_the_beginning_of_time():
    assert tenures(counted([claim(ANN, 50)])) == [Tenure("d", ANN, None, None)]


def test_a_later_user_has_it_from_their_first_claim_until_the_next_one_of_somebody_else():
    found = tenures(counted([claim(ANN, 300), claim(BOB, 200), claim(ANN, 100), claim(BOB, 250)]))

    assert found == [Tenure("d", ANN, None, 200), Tenure("d", BOB, 200, 300), Tenure("d", ANN, 300, None)]


def test_at_the_same_time_the_message_id_decides():
    found = tenures(counted([claim(BOB, 100, message_id="b"), claim(ANN, 100, message_id="a")]))

    assert [each.owner for each in found] == [ANN, BOB]


def test_nobody_has_it_for_no_time_at_all():
    found = tenures(counted([claim(ANN, 100), claim(BOB, 200, message_id="a"), claim(ANN, 200, message_id="b")]))

    assert found == [Tenure("d", ANN, None, 200), Tenure("d", ANN, 200, None)]


def test_of_an_hour_the_first_claim_counts_that_is_only_implied():
    implied = [claim(ANN, us, "event") for us in (HOUR_US + 2, HOUR_US + 1, 2 * HOUR_US)]

    assert [each.at.us for each in counted(implied)] == [HOUR_US + 1, 2 * HOUR_US]


def test_every_identify_counts():
    assert len(counted([claim(ANN, 1), claim(ANN, 2), claim(ANN, 2, "event")])) == 3
