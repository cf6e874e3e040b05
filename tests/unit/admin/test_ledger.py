"""accepted = delivered + pending + dead + filtered, for each reader of the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.ledger import Account, balance
from gateway.queue.records import Cursor

counts = st.integers(0, 10**12)


def cursor(
    name: str = "crm", start: int = 0, outcomes: tuple[int, int, int, int] = (0, 0, 0, 0), **given: int
) -> Cursor:
    """A cursor whose outcomes (delivered, dead, filtered, retrying) add up, unless `next_offset` says otherwise."""
    delivered, dead, filtered, retrying = outcomes
    next_offset = given.get("next_offset", start + sum(outcomes))
    return Cursor(name, start, next_offset, delivered, dead, filtered, retrying, None, given.get("end_offset"))


def test_every_event_since_the_cursor_began_has_one_fate():
    (account,) = balance([cursor(start=10, outcomes=(60, 3, 5, 2))], head_offset=100)

    assert account == Account(
        destination="crm", accepted=90, delivered=60, pending=22, dead=3, filtered=5, unaccounted=0, fault=""
    )


@given(start=counts, outcomes=st.tuples(counts, counts, counts, counts), ahead=counts)
def test_it_adds_up_for_every_cursor_that_keeps_its_promise(
    start: int, outcomes: tuple[int, int, int, int], ahead: int
):
    head_offset = start + sum(outcomes) + ahead

    (account,) = balance([cursor(start=start, outcomes=outcomes)], head_offset)

    assert account.fault == ""
    assert account.accepted == account.delivered + account.pending + account.dead + account.filtered


def test_a_replay_is_accounted_for_up_to_its_end():
    replay = cursor("crm#replay-1", start=20, outcomes=(5, 0, 0, 0), end_offset=30)

    (account,) = balance([replay], head_offset=1000)

    assert (account.accepted, account.delivered, account.pending, account.fault) == (10, 5, 5, "")


def test_accounts_come_by_name():
    accounts = balance([cursor("web"), cursor("crm"), cursor("crm#replay-2")], head_offset=0)

    assert [account.destination for account in accounts] == ["crm", "crm#replay-2", "web"]


@pytest.mark.parametrize(
    ("broken", "fault", "unaccounted"),
    [
        (cursor(outcomes=(5, 0, 0, 0), next_offset=7), "2 events have no outcome", 2),
        (cursor(outcomes=(5, 3, 0, 0), next_offset=7), "1 outcomes have no event", -1),
        (cursor(outcomes=(101, 0, 0, 0)), "the cursor is outside of 0..100", 0),
        (cursor(start=50, next_offset=40), "the cursor is outside of 50..100", -10),
        (cursor(outcomes=(10, 0, 0, -3)), "a count is negative", 0),
    ],
)
def test_what_does_not_add_up_is_said(broken: Cursor, fault: str, unaccounted: int):
    (account,) = balance([broken], head_offset=100)

    assert (account.fault, account.unaccounted) == (fault, unaccounted)
