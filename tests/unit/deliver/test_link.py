"""A link to a broker: one publication at a time, and a new session after one that failed."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import orjson
import pytest

from gateway.config import DestinationSettings
from gateway.deliver.brokers import open_carry
from gateway.deliver.brokers.link import Link, RefusedError
from gateway.deliver.transport import UnreachableError
from gateway.destinations.http_messages import Publication, Record
from gateway.destinations.kafka import KafkaSettings

PUBLICATION = Publication([Record("t", "k", b"1"), Record("t", "k", b"2")])


class Broker:
    """A driver's module: `answer` decides about each publication, and sessions are counted."""

    def __init__(self) -> None:
        self.answer: Callable[[], Any] = lambda: [None, None]
        self.opened = self.closed = self.publishing = self.most_at_once = 0

    async def connect(self, _settings: DestinationSettings) -> "Session":
        self.opened += 1
        return Session(self)


class Session:
    def __init__(self, broker: Broker) -> None:
        self.is_spent = False
        self._broker = broker

    async def publish(self, records: Sequence[Record]) -> Any:
        self._broker.publishing += 1
        self._broker.most_at_once = max(self._broker.most_at_once, self._broker.publishing)
        try:
            await asyncio.sleep(0)
            said = self._broker.answer()
            if asyncio.iscoroutine(said):
                said = await said
            self.is_spent = said == "spent"
            return [said] * len(records) if self.is_spent else said
        finally:
            self._broker.publishing -= 1

    async def close(self) -> None:
        self._broker.closed += 1


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """In the place of a driver's module."""
    broker, module = Broker(), ModuleType("gateway.deliver.brokers.fake")
    module.connect = broker.connect  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return broker


@pytest.fixture
def link(broker: Broker) -> Link:
    return Link("fake", DestinationSettings(type="fake"))


def failing(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


async def test_nothing_is_connected_before_there_is_something_to_publish(broker: Broker, link: Link):
    assert broker.opened == 0

    response = await link.carry(PUBLICATION, 1)

    assert orjson.loads(response.body) == [None, None]
    assert (broker.opened, broker.closed) == (1, 0)


async def test_a_session_that_works_is_used_again(broker: Broker, link: Link):
    for _ in range(3):
        await link.carry(PUBLICATION, 1)

    await link.close()

    assert (broker.opened, broker.closed) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(failing(RefusedError("no entry")), ["no entry", "no entry"]), (lambda: "spent", ["spent", "spent"])],
)
async def test_after_a_session_that_is_spent_another_is_opened(
    answer: Callable[[], Any], expected: list[str], broker: Broker, link: Link
):
    broker.answer = answer
    assert orjson.loads((await link.carry(PUBLICATION, 1)).body) == expected

    broker.answer = lambda: [None, None]
    assert orjson.loads((await link.carry(PUBLICATION, 1)).body) == [None, None]

    assert (broker.opened, broker.closed) == (2, 1)


async def test_trouble_is_told_and_ends_the_session(broker: Broker, link: Link):
    broker.answer = failing(UnreachableError("the cable is out"))

    with pytest.raises(UnreachableError, match="the cable is out"):
        await link.carry(PUBLICATION, 1)

    assert (broker.opened, broker.closed) == (1, 1)


async def test_a_broker_that_does_not_answer_in_time_is_left(broker: Broker, link: Link):
    broker.answer = lambda: asyncio.sleep(3600)

    with pytest.raises(UnreachableError, match=r"no answer within 0\.05 s"):
        await link.carry(PUBLICATION, 0.05)

    assert (broker.opened, broker.closed) == (1, 1)


async def test_one_publication_at_a_time_is_under_way_and_waiting_for_it_counts(broker: Broker, link: Link):
    broker.answer = lambda: asyncio.sleep(0.2, [None, None])

    answers = await asyncio.gather(*(link.carry(PUBLICATION, 0.3) for _ in range(3)), return_exceptions=True)

    assert broker.most_at_once == 1
    assert [isinstance(answer, UnreachableError) for answer in answers] == [False, True, True]
    assert broker.closed == 1


async def test_a_driver_that_is_not_installed_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "aiokafka"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "gateway.deliver.brokers.kafka", raising=False)
    monkeypatch.setitem(sys.modules, "aiokafka", None)

    async with open_carry(KafkaSettings(brokers=("kafka:9092",)), over_http=None) as carry:  # type: ignore[arg-type]
        with pytest.raises(UnreachableError, match=r"aiokafka is missing.*pip install 'headwater\[kafka\]'"):
            await carry(PUBLICATION, 1)
