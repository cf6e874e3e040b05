"""Which version of an SDK is installed: what its events must say."""

from functools import cache
from importlib import metadata

import orjson

from tests.e2e.sdks.harness.drivers import DRIVERS


@cache
def version(package: str) -> str:
    """The version that `package.json` pins, or that of an installed Python package."""
    pins = orjson.loads((DRIVERS.parent / "package.json").read_bytes())["dependencies"]
    pin: str | None = pins.get(package)
    return pin.rpartition("@")[2] if pin else metadata.version(package)
