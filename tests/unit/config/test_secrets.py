"""Secrets come from outside the file and are shown nowhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config import Settings

Load = Callable[..., Settings]
FaultsOf = Callable[..., dict[str, str]]
SECRET = "whsec_c2VjcmV0IG9mIHRoZSBzaG9w"
HOOK = '[sources.web]\nwrite_keys = ["key"]\n[destinations.crm]\ntype = "hook"\nurl = "https://crm.example/"\n'


def secret_of(settings: Settings) -> str:
    return settings.destinations["crm"].secret.get_secret_value()


def test_a_variable_is_put_in_place_also_within_a_text(load: Load) -> None:
    text = HOOK.replace("crm.example/", "crm.example/${TOKEN}/in") + 'secret = "${HOOK_SECRET}"\n'

    settings = load(text, {"HOOK_SECRET": SECRET, "TOKEN": "t1"})

    assert secret_of(settings) == SECRET
    assert str(settings.destinations["crm"].url) == "https://crm.example/t1/in"


def test_a_file_gives_its_first_line(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\nsecond line\n", encoding="utf-8")

    assert secret_of(load(f'{HOOK}secret = "file:{tmp_path}/secret"\n')) == SECRET


def test_a_credential_is_what_systemd_hands_over(load: Load, tmp_path: Path) -> None:
    (tmp_path / "headwater-webhook").write_text(SECRET, encoding="utf-8")

    settings = load(HOOK + 'secret = "credential:headwater-webhook"\n', {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert secret_of(settings) == SECRET


@pytest.mark.parametrize(
    ("reference", "fault"),
    [
        ("${HOOK_SECRET}", "the environment has no HOOK_SECRET"),
        ("${HOOK_SECRET", "${ begins the name of an environment variable; write it like ${NAME}"),
        ("${hook-secret}", "${ begins the name of an environment variable; write it like ${NAME}"),
        ("${EMPTY}", "in the environment EMPTY is empty; set it"),
        ("", "is empty; write what belongs here, or remove the key"),
        ("credential:hook", "credential: is what systemd hands to a service (LoadCredential=), and here is none"),
        ("file:/none/at/all", "/none/at/all: No such file or directory"),
        ("file:/dev/null", "/dev/null does not lead to a secret"),
        ("file:\\u0000", "\0 does not lead to a secret"),
    ],
)
def test_a_reference_that_leads_nowhere_is_one_fault_of_its_key(
    faults_of: FaultsOf, reference: str, fault: str
) -> None:
    faults = faults_of(f'{HOOK}secret = "{reference}"\n', {"EMPTY": ""})

    assert list(faults) == ["destinations.crm.secret"]
    assert faults["destinations.crm.secret"].startswith(fault)


def test_a_key_whose_reference_leads_nowhere_is_not_blamed_twice(faults_of: FaultsOf) -> None:
    faults = faults_of(HOOK.replace('"https://crm.example/"', '"${HOOK_URL}"'))

    assert list(faults) == ["destinations.crm.url"]
    assert "HOOK_URL" in faults["destinations.crm.url"]


def test_references_in_lists_are_found(faults_of: FaultsOf) -> None:
    assert list(faults_of('[sources.web]\nwrite_keys = ["a", "${KEY}"]\n')) == ["sources.web.write_keys.1"]


def test_a_secret_is_printed_with_the_settings_nowhere(load: Load) -> None:
    settings = load(HOOK + 'secret = "${HOOK_SECRET}"\n', {"HOOK_SECRET": SECRET})

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())
    assert SECRET not in settings.model_dump_json()


@pytest.mark.parametrize(
    "misplaced",
    [
        'url = "${S}"',
        'type = "${S}"',
        'timeout = "${S}"',
        'concurrency = "${S}"',
        'enabled = "${S}"',
        'batch = "${S}"',
        'batch = { max_bytes = "${S}" }',
    ],
)
def test_a_secret_in_the_wrong_place_is_refused_without_being_shown(faults_of: FaultsOf, misplaced: str) -> None:
    key = misplaced.split(" ", 1)[0]
    lines = [line for line in HOOK.splitlines() if not line.startswith(f"{key} ")]

    faults = faults_of("\n".join([*lines, misplaced]), {"S": SECRET})

    assert SECRET not in str(faults)
    assert any(path.startswith(f"destinations.crm.{key}") for path in faults)


def test_a_currency_before_a_placeholder_is_no_variable(load: Load):
    settings = load(HOOK + 'secret = "${{ properties.total }}"\n')

    assert secret_of(settings) == "${{ properties.total }}"
