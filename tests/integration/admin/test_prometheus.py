"""A real Prometheus scrapes the daemon with the shipped alert rules, and its query API knows the counters."""

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientSession

from tests.integration.admin.conftest import Daemon, Headwater

ALERTS = Path(__file__).parents[3] / "configs/alerts.yml"


@pytest.fixture
async def prometheus(daemon: Daemon, tmp_path: Path) -> AsyncIterator[ClientSession]:
    """Its HTTP API, once it is ready."""
    target = daemon.address.removeprefix("http://")
    configuration = {
        "global": {"scrape_interval": "200ms", "evaluation_interval": "200ms"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [{"job_name": "headwater", "static_configs": [{"targets": [target]}]}],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(configuration))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [
        "prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/tsdb",
        f"--web.listen-address={address}",
    ]
    with (tmp_path / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        async with ClientSession(f"http://{address}") as session:
            while not await is_ready(session):
                assert process.poll() is None, (tmp_path / "prometheus.log").read_text()
                await asyncio.sleep(0.05)
            yield session
    finally:
        process.terminate()
        process.wait()


async def is_ready(session: ClientSession) -> bool:
    try:
        async with session.get("/-/ready") as response:
            return response.status == 200
    except ClientConnectionError:
        return False


async def values(session: ClientSession, query: str) -> dict[str, float]:
    """What an instant query gives, by the label that tells the series apart."""
    async with session.get("/api/v1/query", params={"query": query}) as response:
        result: list[dict[str, Any]] = (await response.json())["data"]["result"]
    return {series["metric"].get("destination", ""): float(series["value"][1]) for series in result}


async def eventually(session: ClientSession, query: str, expected: dict[str, float]) -> None:
    while await values(session, query) != expected:
        await asyncio.sleep(0.05)


async def test_the_counters_are_in_prometheus(daemon: Daemon, headwater: Headwater, prometheus: ClientSession):
    for _ in range(3):
        await headwater("send", stdin='{"type":"track","event":"Paid","userId":"u-1"}')
    await headwater("send", "--source", "backend", stdin='{"type":"page","userId":"u-1"}')

    await eventually(prometheus, "headwater_destination_delivered_total", {"crm": 3, "warehouse": 4})
    await eventually(prometheus, "headwater_destination_filtered_total", {"crm": 1})
    await eventually(prometheus, "headwater_ledger_unaccounted_events", {"crm": 0, "warehouse": 0})
    await eventually(prometheus, 'up{job="headwater"}', {"": 1})


async def test_the_alert_rules_are_loaded_and_silent(prometheus: ClientSession):
    await eventually(prometheus, 'up{job="headwater"}', {"": 1})
    async with prometheus.get("/api/v1/rules") as response:
        (group,) = (await response.json())["data"]["groups"]

    assert group["name"] == "headwater"
    assert {rule["state"] for rule in group["rules"]} == {"inactive"}
    assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}
