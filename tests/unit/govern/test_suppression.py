"""Who is suppressed, and what the list says of them: nothing."""

from gateway.govern import Suppression, suppressed_by
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier, Known, Tenure

KEY = bytes(range(32))
OWNER = Identifier(USER_ID, "ada")


def listed(*identifiers: Identifier) -> Suppression:
    empty = Suppression(KEY)
    return Suppression(KEY, map(empty.digest, identifiers))


def test_an_empty_list_is_false_and_holds_nobody():
    assert not Suppression(KEY)
    assert not Suppression(KEY).holds(["ada", None], "ada")


def test_an_event_is_held_by_any_of_its_ids_of_the_right_type():
    users, devices = listed(Identifier(USER_ID, "ada")), listed(Identifier(ANONYMOUS_ID, "ada"))

    assert users.holds([None, "ada"], None)
    assert devices.holds([], "ada")
    assert not users.holds([None, ""], "ada")
    assert devices.holds(["undefined"], "ada")
    assert not devices.holds(["ada"], None)
    assert not users.holds(["ADA", "ada "], None)


def test_an_event_of_another_user_on_the_device_is_theirs():
    devices = listed(Identifier(ANONYMOUS_ID, "tablet"))

    assert devices.holds([None, None], "tablet")
    assert not devices.holds(["bob", None], "tablet")


def test_lone_surrogates_are_values_like_others():
    assert listed(Identifier(USER_ID, "\ud800")).holds(["\ud800"], None)


def test_digests_depend_on_the_key_and_hold_no_identifier():
    one, other = Suppression(KEY), Suppression(KEY[::-1])

    assert one.digest(OWNER) != other.digest(OWNER)
    assert b"ada" not in one.digest(OWNER)


def test_only_a_device_that_was_never_anybody_elses_is_suppressed():
    tenures = [Tenure("own", OWNER), Tenure("first", OWNER, None, 5), Tenure("then", OWNER, 5, None)]

    assert suppressed_by(Known("p", frozenset(["ada"]), tenures, [Identifier("email", "e")])) == [
        Identifier(USER_ID, "ada"),
        Identifier(ANONYMOUS_ID, "own"),
    ]
