"""Every piece of configuration in the README and the docs can be used as it stands."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.config.faults import Fault
from gateway.config.load import settings_model
from gateway.config.secrets import resolve_secrets
from gateway.destinations import DESTINATIONS
from gateway.kinds import Kinds
from gateway.warehouses.registry import WAREHOUSES

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r'"[^"\n]*\.(py|mmdb|js|pem|creds|json)"')
ELSEWHERE = {"docs/plugins.md-0": "tests/unit/commands/test_trial.py, which needs the plugin itself"}


class Environment(Mapping[str, str]):
    """Whatever a secret is called, it is there; addresses are what Slack shows."""

    def __getitem__(self, name: str) -> str:
        return "https://hooks.slack.com/services/T0/B0/s3cret" if "SLACK" in name else f"s3cret-{name.lower()}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def examples() -> Iterator[tuple[str, str]]:
    """(where it stands, the TOML)"""
    for page in PAGES:
        for number, block in enumerate(FENCED.findall(page.read_text(encoding="utf-8"))):
            yield f"{page.relative_to(ROOT)}-{number}", block


EXAMPLES = {where: block for where, block in examples() if where not in ELSEWHERE}


@pytest.mark.parametrize("where", EXAMPLES)
def test_an_example_has_no_fault(where: str, tmp_path: Path):
    faults: list[Fault] = []
    (tmp_path / "any.file").write_text("a line")
    (tmp_path / "code.py").write_text("async def transform(event):\n    return event\n")
    (tmp_path / "plan.json").write_text('{"events": {"Order Completed": {"type": "object"}}}')
    stands_for = {"py": "code.py", "json": "plan.json"}
    text = FILE.sub(lambda found: f'"{tmp_path}/{stands_for.get(found[1], "any.file")}"', EXAMPLES[where])

    document = whole(resolve_secrets(tomllib.loads(text), Environment(), faults))
    settings_model(Kinds(DESTINATIONS, WAREHOUSES).settings()).model_validate(document)

    assert faults == []


def whole(document: dict[str, Any]) -> dict[str, Any]:
    """A fragment with what it leaves out: a source and its key, the type of a destination that may have any."""
    sources = document.get("sources") or {"web": {}}
    destinations = document.get("destinations", {})
    return {
        **document,
        "sources": {name: {"write_keys": ["k"], **source} for name, source in sources.items()},
        "destinations": {name: {"type": "console", **destination} for name, destination in destinations.items()},
    }
