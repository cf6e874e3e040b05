"""Kafka, against a real broker: what arrives, in which order, and what happens when it fails, refuses or hangs."""

import asyncio
import itertools
import json
import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from gateway.destinations.kafka import KafkaSettings
from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Run
from tests.integration.destinations.conftest import settled, store
from tests.integration.destinations.support.clicks import by_person, clicks, until
from tests.integration.destinations.support.kafka_broker import GUEST, PASSWORD, USER, KafkaBroker
from tests.integration.destinations.support.lossy import LossyWay
from tests.vendors.events import event, order, tour
from tests.vendors.simulator import FAST

SIGNALS = [signal.SIGTERM, signal.SIGKILL]
LOG_IN = {"tls": True, "sasl_mechanism": "PLAIN", "username": USER, "password": PASSWORD}

topics = (f"events-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"))
    broker.process.start()
    yield broker
    broker.process.stop()


@pytest.fixture
def topic() -> str:
    """A name of the test's own."""
    return next(topics)


def kafka(broker: KafkaBroker, topic: str, **more: Any) -> KafkaSettings:
    settings = {"brokers": [broker.address], "topic": topic, "retry": FAST, "timeout": 4, **more}
    return KafkaSettings.model_validate(settings)


def secure(broker: KafkaBroker, topic: str, **more: Any) -> KafkaSettings:
    address = f"localhost:{broker.secure_port}"
    return kafka(broker, topic, **{"brokers": [address], "ca_file": broker.ca_file, **LOG_IN, **more})


def headers(record: ConsumerRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


def message_ids(records: Sequence[ConsumerRecord]) -> list[str]:
    return [headers(record)["message_id"] for record in records]


def first_seen(records: Sequence[ConsumerRecord]) -> dict[str, list[int]]:
    """The numbers of each person's clicks, as a consumer has them that drops repeated message ids."""
    seen: set[str] = set()
    people = defaultdict(list)
    for record in records:
        message_id = headers(record)["message_id"]
        if message_id not in seen:
            seen.add(message_id)
            people[record.key.decode()].append(json.loads(record.value)["properties"]["n"])
    return people


async def test_all_that_a_site_sends_arrives_as_it_is_under_the_key_of_its_person(
    broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic)
    events = [*tour(), event(900, userId=None, event="Seen"), event(901, userId="", anonymousId=None, event="Seen")]
    await store(queue, events)

    async with run({"stream": kafka(broker, topic)}) as gateway:
        ledger = await settled(gateway, "stream")

    assert ledger == {"delivered": len(events)}
    records = {headers(record)["message_id"]: record for record in await broker.records(topic)}
    assert len(records) == len(events)
    for sent in events:
        record = records[sent["messageId"]]
        value = json.loads(record.value)
        assert {**value, **sent, "context": {}, "timestamp": ""} == {**value, "context": {}, "timestamp": ""}
        assert {"receivedAt", "originalTimestamp"} <= value.keys()
        assert record.key.decode() == (sent["userId"] or sent["anonymousId"] or sent["messageId"])
        assert headers(record) == {"message_id": sent["messageId"], "type": sent["type"]}


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_a_persons_events_are_in_one_partition_in_their_order(
    compression: str, broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic, partitions=3)
    await store(queue, clicks(300))
    batch = {"max_events": 20}

    async with run({"stream": kafka(broker, topic, compression=compression, batch=batch)}) as gateway:
        assert await settled(gateway, "stream") == {"delivered": 300}

    records = await broker.records(topic)
    assert len(records) == 300
    assert first_seen(records) == by_person(300)
    assert len({(record.key, record.partition) for record in records}) == 7


async def test_events_go_to_topics_by_name_and_by_template(broker: KafkaBroker, topic: str, queue: Queue, run: Run):
    for name in ("identify", "order_completed", "orders"):
        await broker.create(f"{topic}.{name}")
    await store(queue, [order(1), event(2, type="identify"), event(3, event="Order  Completed!")])
    named = {"Order Completed": f"{topic}.orders"}

    async with run({"stream": kafka(broker, f"{topic}.{{event}}", topics=named)}) as gateway:
        assert await settled(gateway, "stream") == {"delivered": 3}

    found = {name: message_ids(await broker.records(f"{topic}.{name}")) for name in ("identify", "order_completed")}
    assert found == {"identify": ["msg-000002"], "order_completed": ["msg-000003"]}
    assert message_ids(await broker.records(f"{topic}.orders")) == ["msg-000001"]


async def test_a_broker_that_is_down_gets_everything_once_it_is_up(
    broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic)
    broker.process.stop()
    await store(queue, clicks(50))

    async with run({"stream": kafka(broker, topic)}) as gateway:
        await until(gateway, "retrying", "Connect call failed")
        broker.process.start()
        assert await settled(gateway, "stream") == {"delivered": 50}

    records = await broker.records(topic)
    assert len(records) == 50
    assert first_seen(records) == by_person(50)


@pytest.mark.parametrize("how", SIGNALS, ids=lambda how: how.name)
async def test_a_broker_that_restarts_in_the_middle_loses_nothing_and_keeps_the_order(
    how: signal.Signals, broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic)

    async with run({"stream": kafka(broker, topic, batch={"max_events": 10})}) as gateway:
        for first in range(0, 1500, 500):
            await store(queue, clicks(500, first=first))
            while gateway.status("stream").lag_events > 400:
                await asyncio.sleep(0)
            await asyncio.to_thread(broker.process.stop, how)
            await asyncio.to_thread(broker.process.start)
        assert await settled(gateway, "stream", timeout_s=60) == {"delivered": 1500}

    records = await broker.records(topic)
    assert set(message_ids(records)) == {f"msg-{n:06d}" for n in range(1500)}
    assert first_seen(records) == by_person(1500)


async def test_what_a_hanging_broker_did_not_acknowledge_is_sent_again_under_the_same_message_id(
    broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic)

    async with run({"stream": kafka(broker, topic, timeout=1)}) as gateway:
        await store(queue, clicks(7))
        await settled(gateway, "stream")
        broker.process.freeze()
        await store(queue, clicks(70, first=7))
        await until(gateway, "retrying", "")
        assert "answer" in gateway.status("stream").last_error
        broker.process.thaw()
        assert await settled(gateway, "stream", timeout_s=60) == {"delivered": 77}

    records = await broker.records(topic)
    assert set(message_ids(records)) == {f"msg-{n:06d}" for n in range(77)}
    assert first_seen(records) == by_person(77)


async def test_an_answer_that_is_lost_on_its_way_makes_no_event_appear_twice(
    broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic)
    way, address = LossyWay(), f"127.0.0.1:{broker.lossy_port}"

    async with (
        way.open(broker.lossy_port, broker.behind_lossy_port),
        run({"stream": kafka(broker, topic, brokers=[address])}) as gateway,
    ):
        await store(queue, clicks(7))
        await settled(gateway, "stream")
        way.lose_next = 3
        await store(queue, clicks(70, first=7))
        assert await settled(gateway, "stream") == {"delivered": 77}
        assert way.lose_next == 0

    records = await broker.records(topic)
    assert len(records) == 77
    assert first_seen(records) == by_person(77)


async def test_a_record_that_is_too_large_is_the_only_dead_letter_and_nothing_is_told_twice(
    broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic, partitions=1, max_message_bytes="6000")
    events = clicks(40)
    events[17]["properties"]["text"] = "x" * 9000
    await store(queue, events)

    async with run({"stream": kafka(broker, topic, compression="none")}) as gateway:
        ledger = await settled(gateway, "stream")
        letters = await gateway.letters("stream")

    assert ledger == {"delivered": 39, "dead": 1}
    assert letters == [("msg-000017", "dead", "rejected")]
    records = await broker.records(topic)
    assert len(records) == 39
    assert first_seen(records)["user-3"] == [3, 10, 24, 31, 38]


async def test_a_topic_that_does_not_exist_is_waited_for_and_others_are_not(
    broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic)
    await store(queue, [*clicks(5), order(6)])
    named = {"Order Completed": f"{topic}-orders"}

    async with run({"stream": kafka(broker, topic, topics=named)}) as gateway:
        while len(await broker.records(topic)) < 5:
            await asyncio.sleep(0.02)
        await broker.create(f"{topic}-orders")
        assert await settled(gateway, "stream") == {"delivered": 6}

    assert len(await broker.records(topic)) == 5
    assert message_ids(await broker.records(f"{topic}-orders")) == ["msg-000006"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
async def test_a_password_that_is_refused_pauses_the_destination_until_it_is_right(
    mechanism: str, broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic)
    await store(queue, clicks(5))
    wrong = secure(broker, topic, sasl_mechanism=mechanism, password="s3cret-wrong")

    async with run({"stream": wrong}) as gateway:
        await until(gateway, "paused", "SASL_AUTHENTICATION_FAILED")
        assert "s3cret" not in gateway.status("stream").last_error
        assert await gateway.ledger("stream") == {}
        await gateway.delivery.apply({"stream": secure(broker, topic, sasl_mechanism=mechanism)})
        await gateway.delivery.resume("stream")
        assert await settled(gateway, "stream") == {"delivered": 5}

    assert len(await broker.records(topic)) == 5


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"username": GUEST}, "AUTHORIZATION_FAILED"),
        ({"sasl_mechanism": "SCRAM-SHA-512"}, "UNSUPPORTED_SASL_MECHANISM"),
    ],
)
async def test_a_user_whom_the_broker_does_not_let_write_pauses_the_destination(
    more: dict[str, str], words: str, broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await broker.create(topic)
    await store(queue, clicks(5))

    async with run({"stream": secure(broker, topic, **more)}) as gateway:
        await until(gateway, "paused", words)
        assert await gateway.ledger("stream") == {}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ca_file": None}, "certificate verify failed"),
        ({"sasl_mechanism": "", "username": "", "password": None}, "are tls and sasl_mechanism as it wants them?"),
    ],
)
async def test_a_connection_that_cannot_be_made_is_tried_again_and_says_why(
    more: dict[str, Any], words: str, broker: KafkaBroker, topic: str, queue: Queue, run: Run
):
    await store(queue, clicks(5))

    async with run({"stream": secure(broker, topic, **more)}) as gateway:
        await until(gateway, "retrying", words)


async def test_certificates_that_cannot_be_read_are_trouble_of_the_destination_alone(
    broker: KafkaBroker, topic: str, queue: Queue, run: Run, tmp_path: Path
):
    broken = tmp_path / "broken.pem"
    broken.write_text("this is no certificate")
    await store(queue, clicks(1))

    async with run({"stream": secure(broker, topic, ca_file=broken)}) as gateway:
        await until(gateway, "retrying", "the certificate files cannot be used")
