"""A configuration is taken whole or refused with every fault in it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.config import DestinationSettings, Settings, load_settings
from gateway.destinations.webhook import WebhookSettings
from gateway.model.errors import ConfigError
from gateway.warehouses.archive.settings import ArchiveSettings
from gateway.warehouses.duckdb.settings import DuckDBSettings

Load = Callable[..., Settings]
FaultsOf = Callable[..., dict[str, str]]
SOURCE = '[sources.web]\nwrite_keys = ["key"]\n'


def test_a_source_is_all_that_a_file_needs(load: Load) -> None:
    settings = load(SOURCE)

    assert settings.sources["web"].write_keys == ("key",)
    assert settings.server.listen == "127.0.0.1:8080"
    assert settings.admin.listen == "127.0.0.1:9090"
    assert settings.queue.durability == "full"
    assert settings.demo.enabled is False
    assert settings.destinations == {}


def test_destinations_are_of_the_kind_that_their_type_names(load: Load) -> None:
    settings = load(
        SOURCE
        + '[destinations.crm]\ntype = "hook"\nurl = "https://crm.example/in"\n'
        + '[destinations.rows]\ntype = "table"\npath = "/srv/rows.db"\nretry = { horizon = "2d" }\n'
    )

    assert str(settings.destinations["crm"].url) == "https://crm.example/in"
    assert settings.destinations["rows"].path == Path("/srv/rows.db")
    assert settings.destinations["rows"].retry.horizon == 2 * 86_400


@pytest.mark.parametrize("count", [0, 1])
def test_a_build_with_fewer_kinds_still_reads_its_file(tmp_path: Path, count: int) -> None:
    path = tmp_path / "headwater.toml"
    path.write_text(SOURCE + '[destinations.any]\ntype = "any"\n', encoding="utf-8")

    settings = load_settings(path, (DestinationSettings,) * count, {})

    assert settings.destinations["any"].type == "any"


def test_all_faults_are_listed_at_once_each_with_its_key_and_what_to_do(faults_of: FaultsOf) -> None:
    faults = faults_of("""
        colour = "blue"
        [server]
        listen = "8080"
        bod_timeout = "3s"
        trusted_proxies = ["10.0.0.1/8"]
        max_connections = "many"
        [queue]
        durability = "some"
        [sources.web]
        write_keys = "key"
        [sources.Shop]
        write_keys = ["a"]
        [sources.app]
        [destinations.crm]
        type = "hook"
        batch = { max_event = 3 }
        [destinations.rows]
        type = "tabel"
        [destinations.feed]
        type = "table"
        sources = ["web", "wbe"]
        [demo]
        enabled = true
        source = "wub"
    """)

    assert faults == {
        "colour": "unknown key; see docs/configuration.md",
        "server.listen": 'write an address and a port, like "127.0.0.1:8080" or "[::1]:8080", or "unix:/run/NAME"',
        "server.bod_timeout": 'unknown key; did you mean "body_timeout"?',
        "server.trusted_proxies.0": 'write an address or a network, like "127.0.0.1" or "10.0.0.0/8"',
        "server.max_connections": "write a whole number",
        "queue.durability": 'write one of "full" or "normal"',
        "sources.web.write_keys": 'write a list, like ["a", "b"]',
        "sources.Shop": (
            "a name has lower-case letters, digits, - and _, starts with a letter, and has at most 63 characters"
        ),
        "sources.app.write_keys": "this key is required",
        "destinations.crm.url": "this key is required",
        "destinations.crm.batch.max_event": 'unknown key; did you mean "max_events"?',
        "destinations.rows.type": 'write one of "hook", "table"; did you mean "table"?',
        "destinations.feed.sources.1": 'there is no source "wbe"; did you mean "web"?',
        "demo.source": 'there is no source "wub"; did you mean "web"?',
    }


@pytest.mark.parametrize("section", ["server", "admin", "queue", "script", "demo", "log"])
def test_no_section_takes_a_key_that_it_does_not_know(faults_of: FaultsOf, section: str) -> None:
    assert list(faults_of(f"{SOURCE}[{section}]\nzzz = 1\n")) == [f"{section}.zzz"]


def test_a_file_without_a_source_is_refused(faults_of: FaultsOf) -> None:
    assert faults_of("") == {"sources": "this key is required"}


@pytest.mark.parametrize(
    ("text", "key", "fault"),
    [
        ('[sources.app]\nwrite_keys = ["key"]', "sources.app.write_keys.0", 'source "web" has the same key'),
        ('[admin]\nlisten = "127.0.0.1:8080"', "admin.listen", "is also server.listen"),
        ("[demo]\nenabled = true\n[script]\nenabled = false", "script.enabled", "the demo uses the script"),
        ('[server]\nmax_event = "1GiB"', "server", "max_event is larger than max_inflated_body"),
        (
            '[destinations.rows]\ntype = "table"\nretry = { first_delay = "1h" }',
            "destinations.rows.retry",
            "first_delay is longer than max_delay",
        ),
        (
            '[sources.web.browser]\nlinker_hosts = ["b.example"]',
            "sources.web.browser",
            "linker_hosts needs linker_secret",
        ),
        (
            '[sources.web.browser]\nbuild = "lite"\nmode = "consent"',
            "sources.web.browser",
            'build = "lite" cannot wait',
        ),
    ],
)
def test_settings_that_contradict_each_other_are_faults(faults_of: FaultsOf, text: str, key: str, fault: str) -> None:
    faults = faults_of(SOURCE + text)

    assert list(faults) == [key]
    assert faults[key].startswith(fault)


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "https://shop.example/path"])
def test_an_origin_is_a_scheme_and_a_host(faults_of: FaultsOf, origin: str) -> None:
    faults = faults_of(f'[sources.web]\nwrite_keys = ["key"]\nallowed_origins = ["{origin}"]\n')

    assert faults["sources.web.allowed_origins"].endswith('write scheme and host, like "https://shop.example"')


def test_a_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file.*headwater init"):
        load_settings(tmp_path / "none.toml", (), {})


@pytest.mark.parametrize("content", [b"[server", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "headwater.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"headwater\.toml: not TOML"):
        load_settings(path, (), {})


def test_settings_never_change_once_loaded(load: Load) -> None:
    settings = load(SOURCE)

    with pytest.raises(ValidationError, match="frozen"):
        settings.server.listen = "0.0.0.0:1"  # type: ignore[misc]  # the assignment is what is refused


def test_a_warehouse_refuses_a_hold_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "headwater.toml"
    path.write_text(SOURCE + '[destinations.rows]\ntype = "duckdb"\npath = "rows.db"\nhold = "30m"\n', encoding="utf-8")

    with pytest.raises(ConfigError, match=r"destinations\.rows\.hold: a warehouse needs no hold: it gives .* past"):
        load_settings(path, (DuckDBSettings, WebhookSettings), {})


def test_an_archive_knows_nobody_that_stitch_could_ask_for(tmp_path: Path) -> None:
    path = tmp_path / "headwater.toml"
    archive = '[destinations.raw]\ntype = "archive"\nurl = "/archive"\n'
    hook = '[destinations.crm]\ntype = "webhook"\nurl = "https://crm.example/in"\nstitch = "raw"\n'
    path.write_text(SOURCE + archive + hook, encoding="utf-8")

    with pytest.raises(ConfigError, match=r'destinations\.crm\.stitch: there is no warehouse "raw"'):
        load_settings(path, (ArchiveSettings, WebhookSettings), {})


def test_a_hold_is_shorter_than_the_age_that_events_may_have(load: Load, faults_of: FaultsOf) -> None:
    hook = SOURCE + '[destinations.crm]\ntype = "hook"\nurl = "https://crm.example/in"\nhold = "30m"\n'

    assert load(hook + 'max_age = "1h"\n').destinations["crm"].hold == 1800
    assert "lower it" in faults_of(hook + 'max_age = "30m"\n')["destinations.crm"]
