"""Kafka: an idempotent producer that gives each record the broker's own answer.

It stands on aiokafka's client, and not on its producer: that one keeps what it could not send and sends it when it can,
after deliver has given the events up and sent later ones. Source: the Kafka protocol guide ("Produce API", "Error
codes") and the exactly-once design (KIP-98): a partition takes the batches of a producer id in the order of their
sequence numbers, and each once.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.errors import BrokerResponseError, KafkaConnectionError, KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.structs import TopicPartition

from gateway.deliver.brokers.link import RefusedError, farewell
from gateway.deliver.brokers.tls import tls_context
from gateway.deliver.transport import UnreachableError
from gateway.destinations.http_messages import Record
from gateway.destinations.kafka import REFUSES_RECORD, KafkaSettings

logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it has to say becomes the destination's error

PAUSE_S = 0.1
"""Before a batch is sent again."""
MAX_SEQUENCE = 2**31
"""After which the numbers of a partition begin anew."""

_ALL_REPLICAS = -1
_MAGIC = 2
_NO_LIMIT_BYTES = 2**31 - 1
"""How much a batch holds is limited before."""
_LONGEST_TRANSACTION_MS = 2**31 - 1
"""Of no use to a producer without transactions, and asked for all the same."""

_DONE = frozenset({"NONE", "DUPLICATE_SEQUENCE_NUMBER"})
_MAY_PASS_SOON = frozenset(
    {
        "FENCED_LEADER_EPOCH",
        "KAFKA_STORAGE_ERROR",
        "LEADER_NOT_AVAILABLE",
        "NETWORK_EXCEPTION",
        "NOT_ENOUGH_REPLICAS",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "NOT_LEADER_OR_FOLLOWER",
        "REQUEST_TIMED_OUT",
        "UNKNOWN_TOPIC_OR_PARTITION",
    }
)
"""The same batch is sent again, under the same number, so that it is not appended twice."""

_COMES_SOON = frozenset({"COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE"})

_NAMES = {
    -1: "UNKNOWN_SERVER_ERROR",
    0: "NONE",
    2: "CORRUPT_MESSAGE",
    3: "UNKNOWN_TOPIC_OR_PARTITION",
    5: "LEADER_NOT_AVAILABLE",
    6: "NOT_LEADER_OR_FOLLOWER",
    7: "REQUEST_TIMED_OUT",
    10: "MESSAGE_TOO_LARGE",
    14: "COORDINATOR_LOAD_IN_PROGRESS",
    15: "COORDINATOR_NOT_AVAILABLE",
    17: "INVALID_TOPIC_EXCEPTION",
    18: "RECORD_LIST_TOO_LARGE",
    19: "NOT_ENOUGH_REPLICAS",
    20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    29: "TOPIC_AUTHORIZATION_FAILED",
    31: "CLUSTER_AUTHORIZATION_FAILED",
    32: "INVALID_TIMESTAMP",
    33: "UNSUPPORTED_SASL_MECHANISM",
    34: "ILLEGAL_SASL_STATE",
    35: "UNSUPPORTED_VERSION",
    42: "INVALID_REQUEST",
    43: "UNSUPPORTED_FOR_MESSAGE_FORMAT",
    44: "POLICY_VIOLATION",
    45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
    46: "DUPLICATE_SEQUENCE_NUMBER",
    47: "INVALID_PRODUCER_EPOCH",
    54: "SECURITY_DISABLED",
    56: "KAFKA_STORAGE_ERROR",
    58: "SASL_AUTHENTICATION_FAILED",
    59: "UNKNOWN_PRODUCER_ID",
    74: "FENCED_LEADER_EPOCH",
    76: "UNSUPPORTED_COMPRESSION_TYPE",
    87: "INVALID_RECORD",
    89: "THROTTLING_QUOTA_EXCEEDED",
    90: "PRODUCER_FENCED",
}
_CODECS = {
    "none": 0,
    "gzip": DefaultRecordBatch.CODEC_GZIP,
    "snappy": DefaultRecordBatch.CODEC_SNAPPY,
    "lz4": DefaultRecordBatch.CODEC_LZ4,
    "zstd": DefaultRecordBatch.CODEC_ZSTD,
}


def error_name(code: int) -> str:
    """As the protocol guide calls it."""
    return _NAMES.get(code, f"ERROR_{code}")


class Identity(NamedTuple):
    """What the cluster knows the producer by."""

    producer_id: int
    epoch: int


async def connect(settings: KafkaSettings) -> "Producer":
    """A producer with an identity of its own. Raises RefusedError, UnreachableError."""
    options = _options(settings)
    client = AIOKafkaClient(
        bootstrap_servers=list(settings.brokers),
        connections_max_idle_ms=540_000,
        client_id=settings.client_id,
        **options,
    )
    try:
        await client.bootstrap()
        return Producer(client, await _identity(client), settings)
    except KafkaConnectionError:
        await farewell(client.close())
        raise await _why_not(client, options) from None
    except BaseException:
        await farewell(client.close())
        raise


def _options(settings: KafkaSettings) -> dict[str, Any]:
    """How each connection is made. Half of the time is for one request, so that another can follow."""
    return {
        "request_timeout_ms": round(settings.timeout * 500),
        "security_protocol": ("SASL_" if settings.sasl_mechanism else "") + ("SSL" if settings.tls else "PLAINTEXT"),
        "ssl_context": tls_context(settings),
        "sasl_mechanism": settings.sasl_mechanism or None,
        "sasl_plain_username": settings.username or None,
        "sasl_plain_password": settings.password.get_secret_value() if settings.password else None,
    }


async def _why_not(client: AIOKafkaClient, options: Mapping[str, Any]) -> Exception:
    """The client only says that no broker would have it; each is asked once more, for the reason."""
    reason = "a broker answers, and ends the connection: are tls and sasl_mechanism as it wants them?"
    for host, port, _ in client.hosts:
        try:
            connection = await create_conn(host, port, **options)
        except BrokerResponseError as error:
            words = [word for word in error.args if isinstance(word, str)]
            return RefusedError(": ".join([error_name(error.errno), *words]))
        except (OSError, KafkaError, TimeoutError) as error:
            reason = f"{host}:{port}: {error or type(error).__name__}"
        else:
            await farewell(connection.close())
    return UnreachableError(reason)


async def _identity(client: AIOKafkaClient) -> Identity:
    """A cluster that has just started takes a moment to have one: asked for until the time of the publication ends."""
    while True:
        try:
            answer = await client.send(client.get_random_node(), InitProducerIdRequest(None, _LONGEST_TRANSACTION_MS))
        except KafkaError as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from error
        name = error_name(answer.error_code)
        if name == "NONE":
            return Identity(answer.producer_id, answer.producer_epoch)
        if name not in _COMES_SOON:
            raise RefusedError(name)
        await asyncio.sleep(PAUSE_S)


class Producer:
    """Appends batches to partitions, those of one partition one after the other."""

    def __init__(self, client: AIOKafkaClient, identity: Identity, settings: KafkaSettings) -> None:
        self.is_spent = False
        self._client = client
        self._identity = identity
        self._codec = _CODECS[settings.compression]
        self._patience_s = settings.timeout / 2
        self._partition = DefaultPartitioner()
        self._sequences: Counter[TopicPartition] = Counter()

    async def publish(self, records: Sequence[Record]) -> list[str | None]:
        """As `Session.publish` says."""
        said: list[str | None] = [None] * len(records)
        await self._learn({record.topic for record in records})
        places: dict[TopicPartition, list[int]] = defaultdict(list)
        for number, record in enumerate(records):
            place = self._place(record)
            if isinstance(place, str):
                said[number] = place
            else:
                places[place].append(number)
        async with asyncio.TaskGroup() as tasks:
            for place, numbers in places.items():
                tasks.create_task(self._append_all(place, numbers, records, said), name=f"kafka.{place.topic}")
        return said

    async def close(self) -> None:
        """As `Session.close` says."""
        await farewell(self._client.close())

    async def _learn(self, topics: set[str]) -> None:
        """Ask for the partitions of topics that are new, or were not there before."""
        for topic in topics:
            await self._client.add_topic(topic)
        if any(self._client.cluster.partitions_for_topic(topic) is None for topic in topics):
            await self._client.force_metadata_update()

    def _place(self, record: Record) -> TopicPartition | str:
        """The partition by the hash of the key that Kafka's own clients use; the error where the topic has none."""
        cluster = self._client.cluster
        partitions = sorted(cluster.partitions_for_topic(record.topic) or ())
        if not partitions:
            is_forbidden = record.topic in cluster.unauthorized_topics
            return "TOPIC_AUTHORIZATION_FAILED" if is_forbidden else f"UNKNOWN_TOPIC_OR_PARTITION: {record.topic}"
        return TopicPartition(record.topic, self._partition(record.key.encode(), partitions, partitions))

    async def _append_all(
        self, place: TopicPartition, numbers: Sequence[int], records: Sequence[Record], said: list[str | None]
    ) -> str | None:
        """A batch that is refused for one of its records is sent by halves. The second half shares the trouble of the
        first, which is returned: what follows must not overtake it."""
        answer = await self._append(place, [records[number] for number in numbers])
        if _is_refusal(answer) and len(numbers) > 1:
            middle = len(numbers) // 2
            answer = await self._append_all(place, numbers[:middle], records, said)
            numbers = numbers[middle:]
            if answer is None:
                return await self._append_all(place, numbers, records, said)
        for number in numbers:
            said[number] = answer
        return None if _is_refusal(answer) else answer

    async def _append(self, place: TopicPartition, records: Sequence[Record]) -> str | None:
        """One batch. Any error but a refusal of what is in it leaves open whether it was appended, so that its sequence
        number cannot be used for another: the producer is spent."""
        batch, loop = self._batch(place, records), asyncio.get_running_loop()
        until_s = loop.time() + self._patience_s
        answer = await self._send(place, batch)
        while _name(answer) in _MAY_PASS_SOON and loop.time() < until_s:
            await asyncio.sleep(PAUSE_S)
            await self._client.force_metadata_update()
            answer = await self._send(place, batch)
        if answer in _DONE:
            self._sequences[place] = (self._sequences[place] + len(records)) % MAX_SEQUENCE
            return None
        self.is_spent |= not _is_refusal(answer)
        return answer

    def _batch(self, place: TopicPartition, records: Sequence[Record]) -> bytes:
        builder = DefaultRecordBatchBuilder(
            _MAGIC, self._codec, 0, *self._identity, self._sequences[place], _NO_LIMIT_BYTES
        )
        for offset, record in enumerate(records):
            headers = [(name, value.encode()) for name, value in record.headers.items()]
            builder.append(offset, None, record.key.encode(), record.value, headers)
        return bytes(builder.build())

    async def _send(self, place: TopicPartition, batch: bytes) -> str:
        """The name of the partition's answer, which may be followed by a colon and words."""
        cluster = self._client.cluster
        leader = cluster.leader_for_partition(place)
        if leader is None or leader < 0:
            return "LEADER_NOT_AVAILABLE"
        request = ProduceRequest(
            transactional_id=None,
            required_acks=_ALL_REPLICAS,
            timeout=round(self._patience_s * 500),
            topics=[(place.topic, [(place.partition, batch)])],
        )
        try:
            answer = await self._client.send(leader, request)
        except KafkaError:
            broker = cluster.broker_metadata(leader)
            where = f"{broker.host}:{broker.port}" if broker else f"broker {leader}"
            return f"NETWORK_EXCEPTION: no answer from {where}"
        ((_, ((_, code, *_), *_)), *_) = answer.topics
        return error_name(code)


def _is_refusal(answer: str | None) -> bool:
    return _name(answer) in REFUSES_RECORD


def _name(answer: str | None) -> str:
    return (answer or "").partition(":")[0]
