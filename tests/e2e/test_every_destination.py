"""Every destination at once, each with its simulated vendor: killed in the middle of telling, and told again."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer

from gateway.model.event import to_iso
from tests.e2e.harness.configuration import QUICK_RETRY, WAREHOUSE, Plan
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.sending import Client
from tests.e2e.harness.waiting import until
from tests.vendors.events import order
from tests.vendors.registry import SIMULATORS
from tests.vendors.simulator import Received, Reply, Simulator, application, hanging

ORDERS = 8


async def test_after_a_kill_every_vendor_is_told_again_under_the_same_keys(
    make_daemon: MakeDaemon, http: aiohttp.ClientSession
):
    vendors = {vendor.kind.type: vendor() for vendor in SIMULATORS}
    server = TestServer(application([*vendors.values()]))
    await server.start_server(shutdown_timeout=0.1)
    daemon = make_daemon(Plan(destinations=WAREHOUSE + destinations(vendors, str(server.make_url("")).rstrip("/"))))
    await daemon.start()
    for vendor in vendors.values():
        vendor.trouble = hangs_once_told(vendor)
    now = to_iso(datetime.now(UTC))
    await Client(daemon.url, http).accept([order(n, timestamp=now) for n in range(ORDERS)])
    await until(lambda: all(keys_told(vendor) for vendor in vendors.values()), "every vendor is being told")

    await daemon.kill()
    told = {name: keys_told(vendor) for name, vendor in vendors.items()}
    for vendor in vendors.values():
        vendor.trouble = None
    await daemon.start()
    await daemon.settled(*vendors)

    for name, vendor in vendors.items():
        assert told[name] <= set(vendor.taken), f"{name} was told again under other keys"
        assert max(Counter(vendor.taken).values()) == 1, name
        account = await daemon.account(name)
        assert (account["delivered"], account["dead"]) == (ORDERS, 0), f"{name}: {account}"
    balance = await daemon.command("ledger")
    assert balance.code == 0, balance.out
    await no_secret_was_logged(daemon)
    await server.close()


def destinations(vendors: Mapping[str, Simulator], address: str) -> str:
    """A section for each, with what its simulator requires."""
    return "".join(
        f'[destinations.{name}]\ntype = "{name}"\ntimeout = "60s"\n{QUICK_RETRY}'
        + "".join(
            f"{key} = {inline(value)}\n"
            for key, value in {**vendor.addressed(f"{address}/{name}"), **vendor.required}.items()
        )
        for name, vendor in vendors.items()
    )


def inline(value: Any) -> str:
    """A TOML value."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {inline(held)}" for key, held in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)


def hangs_once_told(vendor: Simulator) -> Any:
    """Answers what has to be asked before, like a token, and nothing more."""

    async def trouble(received: Received) -> Reply:
        return await hanging(received) if keys_of(vendor, received) else vendor.answer(received)

    return trouble


def keys_told(vendor: Simulator) -> set[str]:
    return {key for received in vendor.received for key in keys_of(vendor, received)}


def keys_of(vendor: Simulator, received: Received) -> list[str]:
    return [] if received.path == "/token" else vendor.keys(received)


async def no_secret_was_logged(daemon: Daemon) -> None:
    """What simulators call secret has this word in it."""
    assert "s3cret" not in daemon.log.read_text(errors="replace")
    for command in ("status", "ledger"):
        said = await daemon.command(command)
        assert "s3cret" not in said.out + said.err
