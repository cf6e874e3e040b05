"""NATS JetStream, against a real server: what arrives, in which order, and what happens when it fails or refuses."""

import asyncio
import base64
import json
import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nkeys
import pytest
from nats.aio.msg import Msg

from gateway.destinations.nats import NatsSettings, dedup_id
from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Run
from tests.integration.destinations.conftest import settled, store
from tests.integration.destinations.support.clicks import by_person, clicks, until
from tests.integration.destinations.support.lossy import LossyWay
from tests.integration.destinations.support.nats_server import STREAM, NatsServer
from tests.integration.destinations.support.processes import certificate, free_ports
from tests.vendors.events import event, order, tour
from tests.vendors.simulator import FAST

SIGNALS = [signal.SIGTERM, signal.SIGKILL]
USERS = """
authorization {
  users: [
    { user: tester, password: "s3cret-tester" }
    { user: shop, password: "s3cret-shop", permissions: { publish: "events.track", subscribe: "_INBOX.>" } }
  ]
}
"""
SHOP = {"username": "shop", "password": "s3cret-shop"}

StartServer = Callable[..., NatsServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a server with that configuration."""
    servers: list[NatsServer] = []

    def started(configuration: str = "", *, jetstream: bool = True) -> NatsServer:
        server = NatsServer(tmp_path, configuration, jetstream=jetstream)
        server.process.start()
        servers.append(server)
        return server

    yield started
    for server in servers:
        server.process.stop()


def to(server: NatsServer, **more: Any) -> NatsSettings:
    return NatsSettings.model_validate({"servers": [server.url], "retry": FAST, "timeout": 4, **more})


def ids(messages: Sequence[Msg]) -> list[str]:
    return [(message.headers or {})["Nats-Msg-Id"] for message in messages]


def seen(messages: Sequence[Msg]) -> dict[str, list[int]]:
    """The numbers of each person's clicks."""
    people = defaultdict(list)
    for message in messages:
        click = json.loads(message.data)
        people[click["userId"]].append(click["properties"]["n"])
    return people


async def test_all_that_a_site_sends_arrives_as_it_is_under_its_message_id(start: StartServer, queue: Queue, run: Run):
    server = start()
    await server.create()
    events = [*tour(), event(900, messageId="two\r\nlines", event="Seen")]
    await store(queue, events)

    async with run({"stream": to(server, stream=STREAM)}) as gateway:
        ledger = await settled(gateway, "stream")

    assert ledger == {"delivered": len(events)}
    messages = dict(zip(ids(await server.messages()), await server.messages(), strict=True))
    assert len(messages) == len(events)
    for sent in events:
        message = messages[dedup_id(sent["messageId"])]
        value = json.loads(message.data)
        assert {**value, **sent, "context": {}, "timestamp": ""} == {**value, "context": {}, "timestamp": ""}
        assert {"receivedAt", "originalTimestamp"} <= value.keys()
        assert message.subject == f"events.{sent['type']}"
        assert (message.headers or {})["type"] == sent["type"]


async def test_a_persons_events_are_in_their_order(start: StartServer, queue: Queue, run: Run):
    server = start()
    await server.create()
    await store(queue, clicks(300))

    async with run({"stream": to(server, batch={"max_events": 20})}) as gateway:
        assert await settled(gateway, "stream") == {"delivered": 300}

    messages = await server.messages()
    assert len(messages) == 300
    assert seen(messages) == by_person(300)


async def test_events_go_to_subjects_by_name_and_by_template(start: StartServer, queue: Queue, run: Run):
    server = start()
    await server.create()
    await store(queue, [order(1), event(2, type="identify"), event(3, event="Order  Completed!")])
    named = {"Order Completed": "events.orders"}

    async with run({"stream": to(server, subject="events.{type}.{event}", subjects=named)}) as gateway:
        assert await settled(gateway, "stream") == {"delivered": 3}

    assert {message.subject for message in await server.messages()} == {
        "events.orders",
        "events.identify.identify",
        "events.track.order_completed",
    }


async def test_a_server_that_is_down_gets_everything_once_it_is_up(start: StartServer, queue: Queue, run: Run):
    server = start()
    await server.create()
    server.process.stop()
    await store(queue, clicks(50))

    async with run({"stream": to(server)}) as gateway:
        await until(gateway, "retrying", "Connect call failed")
        server.process.start()
        assert await settled(gateway, "stream") == {"delivered": 50}

    messages = await server.messages()
    assert len(messages) == 50
    assert seen(messages) == by_person(50)


@pytest.mark.parametrize("how", SIGNALS, ids=lambda how: how.name)
async def test_a_server_that_restarts_in_the_middle_has_everything_once_and_in_order(
    how: signal.Signals, start: StartServer, queue: Queue, run: Run
):
    server = start()
    await server.create()

    async with run({"stream": to(server, batch={"max_events": 10})}) as gateway:
        for first in range(0, 1500, 500):
            await store(queue, clicks(500, first=first))
            while gateway.status("stream").lag_events > 400:
                await asyncio.sleep(0)
            await asyncio.to_thread(server.process.stop, how)
            await asyncio.to_thread(server.process.start)
        assert await settled(gateway, "stream", timeout_s=60) == {"delivered": 1500}

    messages = await server.messages()
    assert len(messages) == 1500
    assert seen(messages) == by_person(1500)


async def test_what_a_hanging_server_did_not_acknowledge_is_sent_again_and_stored_once(
    start: StartServer, queue: Queue, run: Run
):
    server = start()
    await server.create()

    async with run({"stream": to(server, timeout=1)}) as gateway:
        await store(queue, clicks(7))
        await settled(gateway, "stream")
        server.process.freeze()
        await store(queue, clicks(70, first=7))
        await until(gateway, "retrying", "no answer within 1 s")
        server.process.thaw()
        assert await settled(gateway, "stream") == {"delivered": 77}

    messages = await server.messages()
    assert len(messages) == 77
    assert seen(messages) == by_person(77)


async def test_an_acknowledgement_that_is_lost_on_its_way_makes_no_event_appear_twice(
    start: StartServer, queue: Queue, run: Run
):
    server = start()
    await server.create()
    way, (port,) = LossyWay(), free_ports(1)

    async with (
        way.open(port, server.port),
        run({"stream": to(server, servers=[f"nats://127.0.0.1:{port}"])}) as gateway,
    ):
        await store(queue, clicks(7))
        await settled(gateway, "stream")
        way.lose_next = 1
        await store(queue, clicks(70, first=7))
        assert await settled(gateway, "stream") == {"delivered": 77}
        assert way.lose_next == 0

    assert len(await server.messages()) == 77


async def test_messages_that_are_too_large_are_the_only_dead_letters(start: StartServer, queue: Queue, run: Run):
    server = start("max_payload: 12000\n")
    await server.create(max_msg_size=6000)
    events = clicks(40)
    events[17]["properties"]["text"] = "x" * 7000
    events[18]["properties"]["text"] = "x" * 13_000
    await store(queue, events)

    async with run({"stream": to(server)}) as gateway:
        ledger = await settled(gateway, "stream")
        letters = await gateway.letters("stream")

    assert ledger == {"delivered": 38, "dead": 2}
    assert letters == [("msg-000017", "dead", "rejected"), ("msg-000018", "dead", "rejected")]
    messages = await server.messages()
    assert len(messages) == 38
    assert seen(messages)["user-3"] == [3, 10, 24, 31, 38]


async def test_a_subject_that_no_stream_takes_is_waited_for(start: StartServer, queue: Queue, run: Run):
    server = start()
    await store(queue, clicks(5))

    async with run({"stream": to(server)}) as gateway:
        await until(gateway, "retrying", "no stream takes events.track")
        await server.create()
        assert await settled(gateway, "stream") == {"delivered": 5}


async def test_a_stream_that_is_full_is_waited_for(start: StartServer, queue: Queue, run: Run):
    server = start()
    await server.create(max_msgs=3, discard="new")
    await store(queue, clicks(7, people=1))

    async with run({"stream": to(server)}) as gateway:
        while len(await server.messages()) < 3:
            await asyncio.sleep(0.02)
        await until(gateway, "retrying", "maximum messages exceeded")

    assert seen(await server.messages()) == {"user-0": [0, 1, 2]}


async def test_another_stream_than_the_expected_one_pauses_the_destination(start: StartServer, queue: Queue, run: Run):
    server = start()
    await server.create()
    await store(queue, clicks(5))

    async with run({"stream": to(server, stream="OTHER")}) as gateway:
        await until(gateway, "paused", "expected stream does not match")

    assert await server.messages() == []


async def test_a_password_that_is_refused_pauses_the_destination_until_it_is_right(
    start: StartServer, queue: Queue, run: Run
):
    server = start(USERS)
    await server.create()
    await store(queue, clicks(5))

    async with run({"stream": to(server, username="shop", password="s3cret-wrong")}) as gateway:
        await until(gateway, "paused", "Authorization Violation")
        assert "s3cret" not in gateway.status("stream").last_error
        await gateway.delivery.apply({"stream": to(server, **SHOP)})
        await gateway.delivery.resume("stream")
        assert await settled(gateway, "stream") == {"delivered": 5}

    assert len(await server.messages()) == 5


async def test_a_subject_that_the_user_may_not_write_to_pauses_the_destination(
    start: StartServer, queue: Queue, run: Run
):
    server = start(USERS)
    await server.create()
    await store(queue, [event(1, type="page", name="Home")])

    async with run({"stream": to(server, **SHOP)}) as gateway:
        await until(gateway, "paused", 'permissions violation for publish to "events.page"')


async def test_a_token_lets_in(start: StartServer, queue: Queue, run: Run):
    server = start('authorization { token: "s3cret-token" }\n')
    await store(queue, clicks(1))

    async with run({"stream": to(server, token="s3cret-token")}) as gateway:
        await until(gateway, "retrying", "no stream takes")


async def test_a_credentials_file_lets_in(start: StartServer, queue: Queue, run: Run, tmp_path: Path):
    credentials_file, configuration = operator_with_a_user(tmp_path)
    server = start(configuration, jetstream=False)
    await store(queue, clicks(1))

    async with run({"stream": to(server, credentials_file=credentials_file)}) as gateway:
        await until(gateway, "retrying", "no stream takes")
        await gateway.delivery.apply({"stream": to(server)})
        await gateway.delivery.resume("stream")
        await until(gateway, "paused", "Authorization Violation")


async def test_tls_is_used_and_the_servers_certificate_is_verified(
    start: StartServer, queue: Queue, run: Run, tmp_path: Path
):
    certificate_file, key_file = certificate(tmp_path)
    server = start(f"tls {{ cert_file: {json.dumps(str(certificate_file))}, key_file: {json.dumps(str(key_file))} }}\n")
    await store(queue, clicks(1))
    address = {"servers": [f"tls://localhost:{server.port}"], "tls": True}

    async with run({"stream": to(server, **address)}) as gateway:
        await until(gateway, "retrying", "certificate verify failed")
        await gateway.delivery.apply({"stream": to(server, **address, ca_file=certificate_file)})
        await gateway.delivery.resume("stream")
        await until(gateway, "retrying", "no stream takes")


async def test_a_server_without_tls_is_not_told_the_password_when_tls_is_wanted(
    start: StartServer, queue: Queue, run: Run
):
    server = start(USERS)
    await store(queue, clicks(1))

    async with run({"stream": to(server, **SHOP, tls=True)}) as gateway:
        await until(gateway, "retrying", "secure connection not available")


def operator_with_a_user(folder: Path) -> tuple[Path, str]:
    """A `.creds` file, and the server's configuration that knows its account, as NATS's own tools write them."""
    operator, account, user = (
        key_pair(kind) for kind in (nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER)
    )
    unlimited = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
    limits = {**unlimited, "wildcards": True, "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    operator_jwt = signed(operator, operator, {"type": "operator", "version": 2})
    account_jwt = signed(operator, account, {"type": "account", "version": 2, "limits": limits})
    user_jwt = signed(account, user, {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1})
    file = folder / "shop.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    account_id = account.public_key.decode()
    return file, f"operator: {operator_jwt}\nresolver: MEMORY\nresolver_preload: {{ {account_id}: {account_jwt} }}\n"


def key_pair(kind: int) -> nkeys.KeyPair:
    return nkeys.from_seed(bytearray(nkeys.encode_seed(os.urandom(32), kind)))


def signed(issuer: nkeys.KeyPair, subject: nkeys.KeyPair, claims: dict[str, Any]) -> str:
    """A JSON Web Token of NATS."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    body = {"iss": issuer.public_key.decode(), "sub": subject.public_key.decode(), "jti": "1", "iat": 1, "nats": claims}
    head = part(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
    signable = f"{head}.{part(json.dumps(body).encode())}"
    return f"{signable}.{part(issuer.sign(signable.encode()))}"
