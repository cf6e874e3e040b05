"""Does a warehouse hold what the ledger says it was given?"""

import pytest

from gateway.admin.verification import verified
from gateway.queue.records import Cursor
from gateway.warehouses.contract import Counts, Handed


def cursor(name: str = "warehouse", delivered: int = 90, filtered: int = 10) -> Cursor:
    return Cursor(name, 0, delivered + filtered, delivered, 0, filtered, 0, None, None)


def counts(ids: int = 80, tracks: int = 80, forgotten: int = 0, **logs: Handed) -> Counts:
    return Counts(logs or {"log": Handed(100, 90)}, ids, {"tracks": tracks, "pages": 0}, forgotten)


def test_what_was_delivered_was_handed_over_and_stored_once():
    verification = verified([cursor()], "log", counts())

    assert verification.adds_up
    (log,) = verification.logs
    assert (log.cursor, log.delivered, log.handed_over, log.fault) == ("warehouse", 90, 90, "")


def test_a_warehouse_may_be_ahead_of_the_ledger():
    assert verified([cursor()], "log", counts(log=Handed(200, 190))).adds_up


def test_each_replay_has_a_log_of_its_own():
    replay = cursor("warehouse#replay-3", delivered=5, filtered=0)
    held = Counts({"log": Handed(100, 90), "log#replay-3": Handed(5, 5)}, 80, None, 0)

    verification = verified([cursor(), replay], "log", held)

    assert [log.handed_over for log in verification.logs] == [90, 5]
    assert verification.adds_up


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        (counts(log=Handed(100, 80)), "10 events that the ledger has as delivered never came here"),
        (counts(other=Handed(100, 90)), "90 events that the ledger has as delivered never came here"),
        (counts(log=Handed(50, 90)), "it stands at 50, before the queue's cursor at 100"),
    ],
)
def test_what_is_missing_of_a_log_is_told(held: Counts, fault: str):
    verification = verified([cursor()], "log", held)

    assert [log.fault for log in verification.logs] == [fault]
    assert not verification.adds_up


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        (counts(tracks=79), "1 events that were stored have no row any more"),
        (counts(tracks=79, forgotten=1), ""),
        (counts(tracks=83), "3 rows are there twice, or were not stored by Headwater"),
    ],
)
def test_rows_and_ids_are_compared(held: Counts, fault: str):
    verification = verified([cursor()], "log", held)

    assert (verification.fault, verification.adds_up) == (fault, not fault)


def test_a_warehouse_without_any_id_has_lost_what_it_was_handed():
    verification = verified([cursor()], "log", counts(ids=0, tracks=0))

    assert "every event that was ever stored is gone" in verification.fault
    assert verified([cursor(delivered=0)], "log", Counts({"log": Handed(10, 0)}, 0, {}, 0)).adds_up


@pytest.mark.parametrize("events", [90, None])
def test_a_log_that_an_earlier_version_began_is_not_counted(events: int | None):
    """Nor is it known how many rows that version took away with their persons."""
    held = counts(tracks=70, log=Handed(100, events))

    assert verified([cursor()], "log", held).adds_up == (events is None)
