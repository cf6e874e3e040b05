"""What a driver is: the small program that makes one SDK send its calls, and what it is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.harness.configuration import WAREHOUSE, Plan
from tests.e2e.sdks.harness.story import STORY

DRIVERS = Path(__file__).parents[1] / "drivers"


@dataclass(frozen=True)
class Driver:
    """One SDK in one mode. Each has a source of its own, so that its rows are told apart by `source`."""

    name: str
    """The test's id, the source's name, and part of every id that the driver sends."""
    file: str
    """Below `drivers/`. Its folder says what runs it: `browser`, `node` or `python`."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Handed to the driver as they are."""

    @property
    def path(self) -> Path:
        return DRIVERS / self.file

    @property
    def runs_in_a_browser(self) -> bool:
        return self.path.parent.name == "browser"

    @property
    def write_key(self) -> str:
        return f"key-of-{self.name}"

    @property
    def user_id(self) -> str:
        return f"user-of-{self.name}"

    @property
    def anonymous_id(self) -> str:
        return f"visitor-of-{self.name}"

    @property
    def source(self) -> str:
        """Its section of headwater.toml."""
        return f'[sources.{self.name}]\nwrite_keys = ["{self.write_key}"]\nallowed_origins = ["*"]\n'

    def job(self, host: str) -> dict[str, Any]:
        """What `run` of the driver gets as its only argument."""
        return {
            "host": host,
            "writeKey": self.write_key,
            "userId": self.user_id,
            "anonymousId": self.anonymous_id,
            "options": dict(self.options),
            "story": STORY,
        }


def plan(drivers: Iterable[Driver], **more: str) -> Plan:
    """A source for each driver, and a warehouse that loads at once. `more` are other parts of the plan."""
    sources = "".join(driver.source for driver in drivers)
    return Plan(sources=sources, destinations=f'{WAREHOUSE}batch = {{ max_wait = "50ms" }}\n', **more)
