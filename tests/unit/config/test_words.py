"""What is wrong is said in words: what is expected, where, and what may have been meant."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import load_settings
from gateway.destinations import DESTINATIONS
from gateway.kinds import Kinds
from gateway.model.errors import ConfigError
from gateway.warehouses.registry import WAREHOUSES

FaultsOf = Callable[[str], dict[str, str]]
SOURCE = '[sources.web]\nwrite_keys = ["key"]\n'
CONSOLE = '[destinations.out]\ntype = "console"\n'


@pytest.fixture
def faults_of(tmp_path: Path) -> FaultsOf:
    """The faults of a text whose destinations are of the kinds that there are."""

    def read_faults(text: str) -> dict[str, str]:
        path = tmp_path / "headwater.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as refusal:
            load_settings(path, Kinds(DESTINATIONS, WAREHOUSES).settings(), {})
        _, *lines = str(refusal.value).splitlines()
        return dict(line.strip().split(": ", 1) for line in lines)

    return read_faults


@pytest.mark.parametrize(
    ("lines", "key", "words"),
    [
        ('type = "ga4"\ncurrency = "eur"', "currency", 'write three capital letters, as ISO 4217 has them, like "EUR"'),
        ('type = "meta"\nphone_country = "de"', "phone_country", 'ISO 3166 has them, like "DE"'),
        ('type = "ga4"\nmeasurement_id = "UA-1"', "measurement_id", 'the id of the web stream, like "G-ABC123DEF4"'),
        ('type = "klaviyo"\ndefault_currency = "euro"', "default_currency", "three capital letters"),
        ('type = "meta"\npixel_id = "abc"', "pixel_id", "write the digits that Events Manager shows"),
        ('type = "webhook"\nurl = "hooks.example"', "url", "write an address that begins with http:// or https://"),
        ('type = "slack"\nmessages = []', "messages", "is empty; write at least 1"),
        ('type = "slack"\nmessages = { text = "x" }', "messages", "write a list of tables, like [[section]]"),
        ('type = "console"\nbatch = []', "batch", "write a table, like [section] or { key = value }"),
        ('type = "console"\nconcurrency = 100', "concurrency", "write 64 or less"),
        ('type = "mixpannel"', "type", 'did you mean "mixpanel"?'),
        ('type = "slack"\ncolour = "red"', "colour", "unknown key; see docs/destinations/slack.md"),
        ('type = "console"\ncolour = "red"', "colour", "unknown key; see docs/destinations/console.md"),
        ('type = "mixpanel"\ntoken = ""', "token", "is empty; write what belongs here"),
        ('type = "http"\nauth = { bearer = "" }', "auth.bearer", "is empty; write what belongs here"),
    ],
)  # fmt: skip
def test_what_is_expected_is_said(faults_of: FaultsOf, lines: str, key: str, words: str):
    faults = faults_of(f"{SOURCE}[destinations.d]\n{lines}\n")

    assert words in faults[f"destinations.d.{key}"]
    assert "Input should" not in str(faults)


def test_no_setting_has_a_form_without_words():
    code = [
        path.read_text(encoding="utf-8") for room in ("config", "destinations", "warehouses") for path in files(room)
    ]

    assert not [found for text in code for found in re.findall(r"Field\([^)]*pattern=", text)]


def files(room: str) -> list[Path]:
    return sorted((Path(__file__).parents[3] / "gateway" / room).rglob("*.py"))


@pytest.mark.parametrize(
    ("rule", "key", "words"),
    [
        ('drop_if = { sources = ["wbe"] }', "drop_if.sources.0", 'there is no source "wbe"; did you mean "web"?'),
        ('drop_unless = { sources = ["x"] }', "drop_unless.sources.0", "add [sources.x] or correct the name"),
        (
            'drop_if = { countries = ["AT"] }',
            "drop_if.countries",
            "no event has a country without enrich.geo; set that",
        ),
        ("drop_if = { bots = true }", "drop_if.bots", "no event has context.bot without enrich.bots; set that"),
        (
            'drop_if = { where = [{ field = "properties.a", equals = ["x"] }] }',
            "drop_if.where.0.equals",
            "several stand in one_of",
        ),
        (
            'drop_if = { where = [{ field = "prop.total", above = 1 }] }',
            "drop_if.where.0.field",
            '"prop" is no table of an event; did you mean "properties"?',
        ),
    ],
)
def test_a_rule_about_what_no_event_has_is_a_fault(faults_of: FaultsOf, rule: str, key: str, words: str):
    faults = faults_of(f'{SOURCE}{CONSOLE}rules = [{{ name = "r", {rule} }}]\n')

    assert list(faults) == [f"destinations.out.rules.0.{key}"]
    assert words in faults[f"destinations.out.rules.0.{key}"]


def test_rules_are_told_apart_by_their_names(faults_of: FaultsOf):
    rule = '{ name = "pages", drop_if = { types = ["page"] } }'

    faults = faults_of(f"{SOURCE}{CONSOLE}rules = [{rule}, {rule}]\n")

    assert 'two rules are called "pages"; rename one' in faults["destinations.out.rules"]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('deny = ["email"]', "deny.0"),
        ('allow = ["total"]', "allow.0"),
        ('deny = ["propertis.total"]', "deny.0"),
        ('rename = { "trait.plan" = "properties.plan" }', "rename.trait.plan"),
    ],
)
def test_a_path_that_leads_into_no_event_is_a_fault(faults_of: FaultsOf, line: str, key: str):
    faults = faults_of(f"{SOURCE}{CONSOLE}fields = {{ {line} }}\n")

    assert list(faults) == [f"destinations.out.fields.{key}"]
    assert "of an event; " in faults[f"destinations.out.fields.{key}"]


def test_a_privacy_rule_begins_where_an_event_does(faults_of: FaultsOf):
    faults = faults_of(f'{SOURCE}[sources.web.privacy]\nremove = ["email"]\n')

    assert 'say where it is, like "properties.email" or "traits.email"' in faults["sources.web.privacy.remove.0"]


def test_all_faults_of_a_template_are_told(faults_of: FaultsOf):
    body = 'body = { a = "{{ prop.x }}", b = ["{{ traits.x | nope }}"] }'

    faults = faults_of(f'{SOURCE}[destinations.h]\ntype = "http"\nurl = "https://a.example"\n{body}\n')

    assert 'an event has no "prop"' in faults["destinations.h.body"]
    assert 'there is no filter "nope"' in faults["destinations.h.body"]
