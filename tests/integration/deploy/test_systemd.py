"""The units are what systemd's own tools call clean and safe, and fit the settings beside which they are shipped."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from gateway.config import ServerSettings
from gateway.config.units import parse_duration_s

ROOT = Path(__file__).parents[3]
SERVICE = ROOT / "systemd/headwater.service"
SOCKET = ROOT / "systemd/headwater.socket"
LARGEST_EXPOSURE_TENTHS = 15


def values_of(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), flags=re.MULTILINE)


def test_systemd_finds_nothing_wrong_with_the_units() -> None:
    checked = subprocess.run(
        ["systemd-analyze", "verify", SERVICE, SOCKET], check=False, capture_output=True, text=True
    )

    assert (checked.stdout + checked.stderr, checked.returncode) == ("", 0)


def test_the_service_is_hardened() -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={LARGEST_EXPOSURE_TENTHS}", SERVICE]
    judged = subprocess.run(command, check=False, capture_output=True, text=True)

    assert judged.returncode == 0, judged.stdout.splitlines()[-1]
    assert "Overall exposure level" in judged.stdout


def test_the_user_is_made_by_sysusers(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    file = ROOT / "systemd/headwater.sysusers"

    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", file], check=True, capture_output=True)

    assert (tmp_path / "etc/passwd").read_text().startswith(values_of(SERVICE, "User")[0] + ":")


@pytest.mark.parametrize("user", ["configs/production.toml", "configs/nginx/upstream.conf"])
def test_the_socket_is_where_everyone_looks_for_it(user: str) -> None:
    (address,) = values_of(SOCKET, "ListenStream")

    assert address == ServerSettings().listen
    assert address in (ROOT / user).read_text()


def test_a_stop_has_more_time_than_the_daemon_takes_to_drain() -> None:
    (stop_s,) = values_of(SERVICE, "TimeoutStopSec")
    configured = tomllib.loads((ROOT / "configs/production.toml").read_text())["server"].get("drain", 0)

    assert float(stop_s) > ServerSettings().drain
    assert float(stop_s) > float(str(parse_duration_s(configured)))


def test_there_is_a_file_descriptor_for_every_connection() -> None:
    (files,) = values_of(SERVICE, "LimitNOFILE")

    assert int(files) >= 2 * ServerSettings().max_connections


def test_every_credential_of_the_example_configuration_is_loaded() -> None:
    used = set(re.findall(r'"credential:([^"]+)"', (ROOT / "configs/production.toml").read_text()))

    assert used
    assert used <= set(values_of(SERVICE, "LoadCredential"))
