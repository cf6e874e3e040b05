"""The operator's listener on a Unix socket, for machines where not every user may command the daemon."""

import stat
from pathlib import Path

import pytest

from gateway.admin.server import Admin
from gateway.model.errors import ConfigError
from tests.integration.admin.conftest import Daemon, Receiver, headwater_at, running


async def test_the_command_line_works_over_a_socket_that_only_the_group_may_use(tmp_path: Path, receiver: Receiver):
    path = tmp_path / "admin.sock"

    async with running(tmp_path, receiver, f"unix:{path}") as daemon:
        shown = await headwater_at(daemon.address)("status")
        mode = path.stat().st_mode

    assert shown.output.startswith("headwater 0.0.1: ready")
    assert stat.S_IMODE(mode) == 0o660


async def test_a_socket_that_a_killed_daemon_left_behind_is_no_hindrance(tmp_path: Path, receiver: Receiver):
    async with running(tmp_path, receiver, f"unix:{tmp_path}/admin.sock"):
        (tmp_path / "admin.sock").rename(tmp_path / "old.sock")
    (tmp_path / "old.sock").rename(tmp_path / "admin.sock")

    async with running(tmp_path, receiver, f"unix:{tmp_path}/admin.sock") as daemon:
        shown = await headwater_at(daemon.address)("ledger")

    assert shown.exit_code == 0


async def test_an_address_in_use_is_a_fault_of_the_configuration(daemon: Daemon):
    listen = daemon.address.removeprefix("http://")

    with pytest.raises(ConfigError, match=f"admin.listen {listen}: .*in use"):
        await Admin(listen, daemon.control).start()
