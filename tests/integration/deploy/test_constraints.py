"""constraints.txt pins all that is installed, to what is installed."""

import re
from importlib.metadata import distributions
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[3] / "constraints.txt"
OURS_OR_PIPS = {"headwater", "pip", "setuptools"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_installed_package_has_its_exact_version() -> None:
    lines = [line for line in CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]
    pinned = {canonical(name): version for name, version in (line.split("==") for line in lines)}
    installed = {canonical(package.name): package.version for package in distributions()}

    loose = {name: version for name, version in installed.items() if pinned.get(name) != version}

    assert set(loose) <= OURS_OR_PIPS
