"""`headwater script`: what an owner pastes into pages, and how an address is changed without losing those in use."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.config import load_settings
from gateway.script import load_assets

CONFIGURATION = """
[server]
path_prefix = "/u7k2"
[script]
path = "/ab2c"
name = "k3x9qw"
[sources.web]
write_keys = ["web-key"]
[sources.blog]
write_keys = ["blog-key"]
browser = { mode = "consent", links = false }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "headwater.toml"
    path.write_text(CONFIGURATION)
    return path


def said(*words: str) -> str:
    result = CliRunner().invoke(main, ["script", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_tags_have_the_addresses_and_the_key_of_the_configuration(file: Path):
    printed = said("tag", str(file))

    assert '<script async src="/u7k2/ab2c/k3x9qw.js"></script>' in printed
    assert '<img src="/u7k2/ab2c/k3x9qw"' in printed
    assert '.src="/u7k2/ab2c/k3x9qw.js"' in printed
    assert '.load("web-key")' in printed
    assert "SCRIPT_URL" not in printed


def test_the_pinned_tag_carries_what_its_file_does_not(file: Path):
    pinned = next(line for line in said("tag", str(file), "--source", "blog").splitlines() if "integrity" in line)
    immutable = load_assets().immutable

    assert f'src="/u7k2/ab2c/{immutable.file_name}" integrity="{immutable.integrity}"' in pinned
    assert 'data-write-key="blog-key" data-endpoint="/u7k2/ab2c/k3x9qw" data-mode="consent" data-off="links"' in pinned


def test_another_source_and_another_host_have_addresses_of_their_own(file: Path):
    printed = said("tag", str(file), "--source", "blog", "--host", "https://events.shop.example/")

    assert '<script async src="https://events.shop.example/u7k2/ab2c/blog/k3x9qw.js"></script>' in printed


def test_a_source_that_is_not_there_is_named_with_those_that_are(file: Path):
    result = CliRunner().invoke(main, ["script", "tag", str(file), "--source", "shop"])

    assert result.exit_code == 1
    assert "there is no source 'shop'" in result.stderr
    assert "web, blog" in result.stderr


def test_a_rotation_keeps_the_present_address_and_those_before_it(file: Path):
    first = said("rotate", str(file))
    file.write_text(re.sub(r"\[script\]\n.*\n.*\n", first, CONFIGURATION))
    second = said("rotate", str(file))
    file.write_text(re.sub(r"\[script\]\n.*\n.*\n.*\n", second, file.read_text()))

    script = load_settings(file, [], {}).script

    assert script.former[1:] == ("/ab2c/k3x9qw",)
    assert len({script.path, script.former[0], script.former[1]}) == 3
