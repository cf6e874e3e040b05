"""Drawn addresses are on no list: EasyPrivacy, EasyList and uBlock Origin's own, as Debian packages them, asked through
a real engine for script, request, beacon and pixel."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from gateway.config.init import NAME_LENGTH, PATH_LENGTH, draw_word

LISTS = (
    "thirdparties/easylist/easyprivacy.txt",
    "thirdparties/easylist/easylist.txt",
    "ublock/privacy.min.txt",
    "ublock/filters.min.txt",
)
EXTENSIONS = Path("/usr/share/mozilla/extensions")
ENGINE = Path(__file__).parent / "sdks" / "harness" / "filter_lists.mjs"
DRAWS = 5000


def blocked(places: list[str]) -> list[dict[str, str]]:
    """Those that a list blocks, with the kind of request and the rule."""
    (assets,) = EXTENSIONS.glob("*/uBlock0@raymondhill.net/assets")
    done = subprocess.run(
        ["node", str(ENGINE), *(str(assets / each) for each in LISTS)],
        input=json.dumps(places),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[dict[str, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_no_drawn_address_is_blocked(seed: int):
    rng = random.Random(seed)

    assert blocked([f"/{draw_word(rng, PATH_LENGTH)}/{draw_word(rng, NAME_LENGTH)}" for _ in range(DRAWS)]) == []


def test_the_engine_blocks_what_the_lists_name():
    assert {each["place"] for each in blocked(["/piwik/abc123", "/hit7/abcdef", "/umami", "/ab2c/k3x9qw"])} == {
        "/piwik/abc123",
        "/hit7/abcdef",
        "/umami",
    }
