"""The examples in the pages of templated and forwarding destinations are configurations that can be loaded."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

from gateway.config import load_settings
from gateway.config.section import Section
from gateway.destinations import DESTINATIONS
from gateway.destinations.http_answers import AnswerSettings
from gateway.destinations.http_settings import Route
from gateway.destinations.slack import SlackMessage
from gateway.destinations.template_expression import FILTERS, ROOTS

PAGES = Path(__file__).parents[3] / "docs/destinations"
SOURCE = '[sources.web]\nwrite_keys = ["key"]\n'


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def examples() -> list[object]:
    return [
        pytest.param(block, id=f"{name}-{number}")
        for name in ("http", "slack", "segment", "rudderstack")
        for number, block in enumerate(re.findall(r"^```toml\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE))
    ]


@pytest.mark.parametrize("example", examples())
def test_an_example_can_be_loaded(tmp_path: Path, example: str):
    path = tmp_path / "headwater.toml"
    path.write_text(SOURCE + example, encoding="utf-8")

    settings = load_settings(path, [kind.settings for kind in DESTINATIONS], defaultdict(lambda: "https://x.example/s"))

    assert settings.destinations


@pytest.mark.parametrize(("name", "section"), [("http", Route), ("http", AnswerSettings), ("slack", SlackMessage)])
def test_a_page_names_every_key_of_the_tables_within(name: str, section: type[Section]):
    rows = " ".join(line.split("|")[1] for line in page(name).splitlines() if line.startswith("| `"))

    assert {f"`{key}`" for key in section.model_fields} <= set(re.findall(r"`[a-z_]+`", rows))


def test_the_page_names_every_filter_and_everything_that_a_path_begins_with():
    words = set(re.findall(r"`(\w+)`", page("http")))

    assert {*FILTERS, *ROOTS} <= words
