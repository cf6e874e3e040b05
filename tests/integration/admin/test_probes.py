"""What Prometheus and load balancers get."""

import subprocess

import pytest
from aiohttp import ClientSession

from tests.integration.admin.conftest import Daemon, Headwater


async def test_the_metrics_are_an_exposition_that_promtool_has_no_complaint_about(
    daemon: Daemon, http: ClientSession, headwater: Headwater
):
    await headwater("send", stdin='{"type":"track","event":"Paid","userId":"u"}')
    await daemon.until_settled("crm")

    async with http.get("/metrics") as response:
        assert response.status == 200
        assert response.content_type == "text/plain"
        exposition = await response.read()

    done = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    assert b'headwater_build_info{version="0.0.1"} 1.0' in exposition
    assert b'headwater_destination_delivered_total{destination="crm"} 1.0' in exposition


async def test_a_scraper_may_ask_for_openmetrics(http: ClientSession):
    async with http.get("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"}) as response:
        assert response.content_type == "application/openmetrics-text"
        assert (await response.read()).endswith(b"# EOF\n")


async def test_every_scrape_checks_the_ledger(daemon: Daemon, http: ClientSession):
    async with http.get("/metrics") as response:
        exposition = await response.text()

    assert 'headwater_ledger_unaccounted_events{destination="crm"} 0.0' in exposition
    assert 'headwater_ledger_unaccounted_events{destination="warehouse"} 0.0' in exposition


async def test_a_daemon_that_runs_is_alive_and_ready(http: ClientSession):
    for path, status in (("/healthz", "alive"), ("/readyz", "ready")):
        async with http.get(path) as response:
            assert (response.status, await response.json()) == (200, {"status": status, "reasons": {}})


@pytest.mark.parametrize("phase", ["starting", "stopping"])
async def test_a_daemon_that_starts_or_stops_is_not_ready(daemon: Daemon, http: ClientSession, phase: str):
    daemon.health.phase = phase

    async with http.get("/readyz") as response:
        assert response.status == 503
        assert await response.json() == {"status": "not ready", "reasons": {"daemon": f"the daemon is {phase}"}}
    async with http.get("/healthz") as response:
        assert response.status == 200


async def test_a_stuck_writer_is_neither_alive_nor_ready(daemon: Daemon, http: ClientSession):
    daemon.health.require_alive("writer", lambda: "the queue's writer has been silent for 16 s")

    for path in ("/healthz", "/readyz"):
        async with http.get(path) as response:
            assert response.status == 503
            assert (await response.json())["reasons"] == {"writer": "the queue's writer has been silent for 16 s"}
