"""Apache Kafka itself: one node, with a listener that lets everybody in, one that is reached by a lossy way, and one by
TLS for users who log in."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.integration.destinations.support.processes import Process, answers, certificate, free_ports

JARS = Path(__file__).parent / "kafka/jars"
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
USER, PASSWORD = "shop", "s3cret-shop"
GUEST = "guest"
"""May log in, by the same password, and write nowhere."""
JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*")


class KafkaBroker:
    """Its ports and data stay when it is started again."""

    def __init__(self, folder: Path) -> None:
        assert list(JARS.glob("kafka_*.jar")), f"there is no broker in {JARS}; `make test` brings it"
        self.port, self.secure_port, self.lossy_port, self.behind_lossy_port, self._controller_port = free_ports(5)
        self.ca_file, key_file = certificate(folder)
        properties = folder / "server.properties"
        properties.write_text(self._properties(folder / "data", key_file))
        self._format(properties)
        self.process = Process([*JAVA, "kafka.Kafka", str(properties)], folder / "kafka.log", self._is_ready)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def create(self, topic: str, partitions: int = 3, **settings: str) -> None:
        """A topic; `max_message_bytes` stands for max.message.bytes."""
        configs = {name.replace("_", "."): value for name, value in settings.items()}
        async with self._admin() as admin:
            await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])

    async def records(self, topic: str) -> list[ConsumerRecord]:
        """All that it holds, by partition and in order."""
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=self.address, auto_offset_reset="earliest")
        await consumer.start()
        try:
            places = consumer.assignment()
            found: list[ConsumerRecord] = []
            expected = sum((await consumer.end_offsets(places)).values())
            while len(found) < expected:
                batches = await consumer.getmany(*places, timeout_ms=1000)
                found += [record for batch in batches.values() for record in batch]
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    def _is_ready(self) -> bool:
        return answers(self.port) and answers(self.secure_port)

    def _format(self, properties: Path) -> None:
        users = [f"SCRAM-SHA-256=[name={user},password={PASSWORD}]" for user in (USER, GUEST)]
        arguments = [word for user in users for word in ("--add-scram", user)]
        subprocess.run(
            [*JAVA, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties), *arguments],
            check=True,
            capture_output=True,
        )

    def _properties(self, data: Path, key_file: Path) -> str:
        pem = {"keystore.certificate.chain": self.ca_file, "keystore.key": key_file}
        users = " ".join(f'user_{user}="{PASSWORD}"' for user in (USER, GUEST))
        login = "org.apache.kafka.common.security"
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"OPEN://127.0.0.1:{self.port},SECURE://localhost:{self.secure_port},"
            f"LOSSY://127.0.0.1:{self.behind_lossy_port},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": f"OPEN://127.0.0.1:{self.port},SECURE://localhost:{self.secure_port},"
            f"LOSSY://127.0.0.1:{self.lossy_port}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,OPEN:PLAINTEXT,LOSSY:PLAINTEXT,SECURE:SASL_SSL",
            "inter.broker.listener.name": "OPEN",
            "broker.session.timeout.ms": "1000",
            "broker.heartbeat.interval.ms": "200",
            "log.dirs": str(data),
            "offsets.topic.replication.factor": "1",
            "auto.create.topics.enable": "false",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:ANONYMOUS;User:{USER}",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
            "listener.name.secure.plain.sasl.jaas.config": f"{login}.plain.PlainLoginModule required {users};",
            "listener.name.secure.scram-sha-256.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
            "ssl.keystore.type": "PEM",
            **{f"ssl.{name}": " \\\n".join(path.read_text().splitlines()) for name, path in pem.items()},
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())
