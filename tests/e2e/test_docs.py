"""What is shipped as an example works: each configuration starts the daemon, and the README's commands do what it says.

Only ports and paths are changed, so that the tests need no port of their own machine and leave no file outside.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness.configuration import Plan
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.waiting import until

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETS_UP = ("make ", "git ", "cd ", "sudo ", "apt", "pip ", "python")
"""Beginnings of commands that install or start what is running already when a reader types the others."""


@pytest.mark.parametrize("config", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.stem)
async def test_each_configuration_starts(make_daemon: MakeDaemon, config: Path):
    daemon = adapted(make_daemon(Plan()), config)

    await daemon.start(environ=secrets(daemon.directory))

    assert await daemon.stop() == 0


async def test_the_commands_of_the_readme_work(make_daemon: MakeDaemon):
    daemon = adapted(make_daemon(Plan()), ROOT / "configs" / "quickstart.toml")
    commands = readme_commands()
    assert any(command.startswith("curl ") for command in commands)
    assert any(" sql " in command for command in commands)
    (daemon.directory / ".venv").symlink_to(sys.prefix)
    await daemon.start()

    for command in commands:
        if " sql " in command:
            await until(lambda: is_loaded(daemon), "there is something to ask for")
        answered = subprocess.run(
            ["sh", "-c", with_ports(daemon, command)],
            capture_output=True,
            text=True,
            cwd=daemon.directory,
            env=os.environ | {"HEADWATER_ADMIN": daemon.admin},
            timeout=60,
            check=False,
        )
        assert answered.returncode == 0, f"{command}\n{answered.stdout}{answered.stderr}"
        assert '"code"' not in answered.stdout, f"{command} was refused: {answered.stdout}"


def adapted(daemon: Daemon, config: Path) -> Daemon:
    """The daemon with this configuration instead of a test's."""
    text = with_ports(daemon, config.read_text())
    daemon.config.write_text(text.replace("/var/lib/headwater/", f"{daemon.directory}/"))
    return daemon


def with_ports(daemon: Daemon, text: str) -> str:
    """`text` with the daemon's own addresses in place of those of a fresh installation."""
    text = re.sub(r"(127\.0\.0\.1|localhost):8080", rf"\1:{daemon.port}", text)
    return re.sub(r"(127\.0\.0\.1|localhost):9090", rf"\1:{daemon.admin_port}", text)


def secrets(directory: Path) -> dict[str, str]:
    """What production.toml takes from its environment."""
    (directory / "headwater-webhook").write_text("whsec_c2VjcmV0IGtleSBvZiB0aGUgc2hvcA==")
    keys = {"HEADWATER_WEB_KEY": "key-of-the-pages", "HEADWATER_BACKEND_KEY": "key-of-the-backend"}
    return keys | {"CREDENTIALS_DIRECTORY": str(directory)}


def readme_commands() -> list[str]:
    """The commands of the README's shell blocks, in its order, without those that set up."""
    blocks = FENCED.findall((ROOT / "README.md").read_text())
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    commands = [line.removeprefix("$ ").strip() for line in lines]
    return [each for each in commands if each and not each.startswith(("#", *SETS_UP))]


async def is_loaded(daemon: Daemon) -> bool:
    return await daemon.metric("headwater_warehouse_rows_total") > 0
