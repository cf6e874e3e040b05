"""Who stores next."""

from collections.abc import Iterator

import pytest

from gateway.model.errors import WarehouseError
from gateway.warehouses.bigquery import BigQuerySettings
from gateway.warehouses.bigquery.opening import open_session
from gateway.warehouses.bigquery.session import BigQuerySession
from gateway.warehouses.bigquery.turns import KEPT_S, PAUSE_S, Turns
from tests.integration.warehouses.support.places.place import Place


@pytest.fixture
def session(place: Place) -> Iterator[BigQuerySession]:
    opened = open_session(BigQuerySettings.model_validate(place.settings))
    with opened.growing():
        pass
    yield opened
    opened.close()


def run(session: BigQuerySession, script: list[str]) -> None:
    session._jobs.run(";\n".join(["begin transaction", *script, "commit transaction"]))


def test_of_two_who_begin_at_once_the_second_to_end_fails(session: BigQuerySession):
    one, other = (Turns(session._jobs, lambda _: None) for _ in range(2))
    turns = one.begin()
    assert other.begin() == turns

    run(session, one.script(turns))
    with pytest.raises(WarehouseError, match="another gateway has stored something meanwhile"):
        run(session, other.script(turns))

    assert other.begin() == turns + 1


def test_who_was_overtaken_is_waited_for_until_its_turn_is_over(session: BigQuerySession):
    pauses: list[float] = []
    overtaken, other = (Turns(session._jobs, pauses.append) for _ in range(2))
    overtaken.was_overtaken = True

    turns = overtaken.begin()
    assert pauses == []
    assert other.begin() == turns
    assert pauses == [PAUSE_S] * round(KEPT_S / PAUSE_S)
    run(session, overtaken.script(turns))
    pauses.clear()

    assert other.begin() == turns + 1
    assert pauses == []


def test_another_who_ends_meanwhile_does_not_take_that_away(session: BigQuerySession):
    pauses: list[float] = []
    overtaken, quick, other = (Turns(session._jobs, pauses.append) for _ in range(3))
    begun = quick.begin()
    overtaken.was_overtaken = True
    overtaken.begin()

    run(session, quick.script(begun))

    other.begin()
    assert pauses
