"""Debian's own Prometheus scrapes the daemon, and its promtool has nothing to say against the metrics."""

import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.harness.configuration import WAREHOUSE, Plan
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.sending import Client, tracks
from tests.e2e.harness.waiting import until


@pytest.fixture
def prometheus(tmp_path: Path) -> list[str]:
    """The command of a Prometheus that listens on a port of its own and keeps its data here."""
    return [
        "/usr/bin/prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/prometheus",
        f"--web.listen-address=127.0.0.1:{free_port()}",
        "--log.level=warn",
    ]


async def test_prometheus_scrapes_and_answers(
    make_daemon: MakeDaemon, prometheus: list[str], tmp_path: Path, http: aiohttp.ClientSession
):
    daemon = make_daemon(Plan(destinations=WAREHOUSE))
    (tmp_path / "prometheus.yml").write_text(
        "global: { scrape_interval: 500ms }\n"
        "scrape_configs:\n"
        "- job_name: headwater\n"
        f"  static_configs: [{{ targets: ['127.0.0.1:{daemon.admin_port}'] }}]\n"
    )
    await daemon.start()
    await Client(daemon.url, http).accept(tracks(321))
    address = next(option.partition("=")[2] for option in prometheus if "listen-address" in option)

    with subprocess.Popen(prometheus, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for query, value in {
                'headwater_events_accepted_total{source="web"}': 321,
                'headwater_destination_delivered_total{destination="warehouse"}': 321,
                'headwater_destination_lag_events{destination="warehouse"}': 0,
                "up": 1,
            }.items():

                async def is_known(query: str = query, value: float = value) -> bool:
                    return await ask(http, address, query) == [value]

                await until(is_known, f"{query} is {value}")
        finally:
            server.kill()


async def test_promtool_has_no_complaint(make_daemon: MakeDaemon, http: aiohttp.ClientSession):
    daemon = make_daemon(Plan(destinations=WAREHOUSE))
    await daemon.start()
    await Client(daemon.url, http).accept(tracks(10))
    async with http.get(f"{daemon.admin}/metrics") as answer:
        exposition = await answer.read()

    checked = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, check=False)

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


async def ask(http: aiohttp.ClientSession, address: str, query: str) -> list[float]:
    """Values of the series that the query API finds; none while Prometheus is starting."""
    try:
        async with http.get(f"http://{address}/api/v1/query", params={"query": query}) as answer:
            if answer.status != 200:
                return []
            found = (await answer.json())["data"]["result"]
    except aiohttp.ClientError:
        return []
    return [float(series["value"][1]) for series in found]
