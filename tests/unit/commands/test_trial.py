"""`headwater try` and `headwater new`: one's own code, tried without a daemon."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main

ORDER = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m1",
    "userId": "u1",
    "timestamp": "2026-11-25T12:00:00Z",
    "properties": {"total": 12.5},
}
CONFIGURATION = """
[sources.web]
write_keys = ["web-key"]
[destinations.hook]
type = "webhook"
url = "https://hooks.example/in?key=s3cret-key"
secret = "s3cret"
headers = { Authorization = "Bearer s3cret-token", X-Key = "s3cret-key" }
rules = [{ name = "no_pages", drop_if = { types = ["page"] } }]
"""

CONSOLE = '[destinations.out]\ntype = "console"\n'


def headwater(*words: str | Path, **options: str) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], **options)


def tried(directory: Path, configuration: str, event: object = ORDER, destination: str = "hook") -> Result:
    file = directory / "headwater.toml"
    file.write_text(configuration)
    return headwater("try", destination, "--config", file, input=json.dumps(event))


def test_the_exact_request_is_printed_without_its_secrets(tmp_path: Path):
    result = tried(tmp_path, CONFIGURATION)

    assert result.exit_code == 0, result.output
    (request,) = json.loads(result.stdout)
    assert request["method"] == "POST"
    assert request["url"] == "https://hooks.example/in?key=***"
    assert request["headers"]["authorization"] == "***"
    assert request["headers"]["x-key"] == "***"
    assert request["body"]["event"] == "Order Completed"
    assert request["body"]["properties"] == {"total": 12.5}
    assert "s3cret" not in result.output


def test_an_event_that_a_rule_keeps_back_says_which(tmp_path: Path):
    result = tried(tmp_path, CONFIGURATION, {**ORDER, "type": "page"})

    assert result.exit_code == 0
    assert result.stdout == "kept back by the rule no_pages\n"


@pytest.mark.parametrize(
    ("event", "words"),
    [("{", "not JSON"), ({"type": "other"}, "track, page"), ([], "JSON object")],
)
def test_what_is_no_event_is_refused_in_words(tmp_path: Path, event: object, words: str):
    file = tmp_path / "headwater.toml"
    file.write_text(CONFIGURATION)

    result = headwater("try", "hook", "--config", file, input=event if isinstance(event, str) else json.dumps(event))

    assert result.exit_code == 1
    assert words in result.output


def test_a_destination_or_source_that_is_not_there_is_named_with_those_that_are(tmp_path: Path):
    unknown = tried(tmp_path, CONFIGURATION, destination="hok")
    source = headwater(
        "try", "hook", "--config", tmp_path / "headwater.toml", "--source", "wbe", input=json.dumps(ORDER)
    )

    assert (unknown.exit_code, source.exit_code) == (1, 1)
    assert "there are hook" in unknown.output
    assert "there are web" in source.output


def test_transforms_of_source_and_destination_are_part_of_it(tmp_path: Path):
    (tmp_path / "source.py").write_text("async def transform(event):\n    return dict(event, event='A')\n")
    (tmp_path / "own.py").write_text(
        "async def transform(event):\n    return dict(event, event=event['event'] + 'B')\n"
    )
    configuration = CONFIGURATION.replace('["web-key"]', f'["web-key"]\ntransforms = ["{tmp_path}/source.py"]').replace(
        'secret = "s3cret"', f'secret = "s3cret"\ntransforms = ["{tmp_path}/own.py"]'
    )

    result = tried(tmp_path, configuration)

    (request,) = json.loads(result.stdout)
    assert request["body"]["event"] == "AB"


def test_a_transform_that_raises_shows_where(tmp_path: Path):
    (tmp_path / "own.py").write_text("async def transform(event):\n    raise RuntimeError('out of stock')\n")
    configuration = CONFIGURATION.replace('secret = "s3cret"', f'transforms = ["{tmp_path}/own.py"]')

    result = tried(tmp_path, configuration)

    assert result.exit_code == 1
    assert "transform_failed" in result.stdout
    assert "own.py:2 in transform" in result.stdout
    assert "out of stock" in result.stdout


def test_a_transform_without_a_return_says_that_it_filters(tmp_path: Path):
    (tmp_path / "own.py").write_text("async def transform(event):\n    event['context'] = {}\n")
    configuration = CONFIGURATION.replace('secret = "s3cret"', f'transforms = ["{tmp_path}/own.py"]')

    result = tried(tmp_path, configuration)

    assert result.exit_code == 0
    assert result.stdout == (
        "kept back by the rule transform own.py: the transform returned None, which filters the event; "
        "return the event to keep it\n"
    )


def test_check_loads_the_transforms(tmp_path: Path):
    (tmp_path / "own.py").write_text("import no_such_module\n\n\nasync def transform(event):\n    return event\n")
    file = tmp_path / "headwater.toml"
    file.write_text(f'[sources.web]\nwrite_keys = ["k"]\ntransforms = ["{tmp_path}/own.py"]\n' + CONSOLE)

    result = headwater("check", file)

    assert result.exit_code == 1
    assert "own.py:1 in <module>" in result.output
    assert "no_such_module" in result.output


def test_a_new_destination_works_as_it_is_written(tmp_path: Path):
    written = headwater("new", "destination", "my_crm", "--into", tmp_path)

    assert written.exit_code == 0, written.output
    assert {path.name for path in tmp_path.iterdir()} == {"my_crm.py", "test_my_crm.py", "my_crm.md"}
    configuration = (
        f'[sources.web]\nwrite_keys = ["k"]\n[plugins]\ndestinations = ["{tmp_path}/my_crm.py"]\n'
        '[destinations.crm]\ntype = "my_crm"\nurl = "https://crm.example"\napi_key = "s3cret"\n'
    )
    (request,) = json.loads(tried(tmp_path, configuration, destination="crm").stdout)
    assert request["body"] == {
        "events": [
            {
                "id": "m1",
                "name": "Order Completed",
                "user": "u1",
                "time": "2026-11-25T12:00:00.000Z",
                "properties": {"total": 12.5},
            }
        ]
    }


@pytest.mark.parametrize("kind", ["destination", "transform"])
def test_the_tests_of_what_is_new_pass(tmp_path: Path, kind: str):
    headwater("new", kind, "mine", "--into", tmp_path)

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    result = subprocess.run(command, cwd=tmp_path, env={**os.environ}, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout
    assert " passed" in result.stdout


def test_nothing_that_exists_is_overwritten(tmp_path: Path):
    (tmp_path / "mine.py").write_text("mine")

    result = headwater("new", "transform", "mine", "--into", tmp_path)

    assert result.exit_code == 1
    assert "exists" in result.output
    assert (tmp_path / "mine.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["My-Crm", "2fast", "a b", "../x", "class!"])
def test_a_name_that_no_module_could_have_is_refused(tmp_path: Path, name: str):
    assert headwater("new", "destination", name, "--into", tmp_path).exit_code == 2


def test_consent_that_nobody_is_asked_for_cannot_be_required(tmp_path: Path):
    without = tried(
        tmp_path, CONFIGURATION.replace("[destinations.hook]", "[destinations.hook]\nconsent_required = true")
    )
    named = CONFIGURATION.replace(
        "[destinations.hook]", '[destinations.hook]\nconsent_required = true\nconsent = ["ads"]'
    )

    assert without.exit_code == 1
    assert "destinations.hook.consent_required" in without.output
    assert tried(tmp_path, named).stdout == "kept back by the rule consent\n"


@pytest.mark.parametrize("line", ["raise SystemExit(4)", "return None", "return 5"])
def test_a_plugin_that_ends_or_returns_nonsense_costs_its_event_alone(tmp_path: Path, line: str):
    headwater("new", "destination", "mine", "--into", tmp_path)
    code = tmp_path / "mine.py"
    code.write_text(code.read_text().replace('    if event["type"] != "track":', f'    {line}\n    if event["type"]:'))
    configuration = (
        f'[sources.web]\nwrite_keys = ["k"]\n[plugins]\ndestinations = ["{code}"]\n'
        '[destinations.crm]\ntype = "mine"\nurl = "https://crm.example"\napi_key = "s3cret"\n'
    )

    result = tried(tmp_path, configuration, destination="crm")

    assert result.exit_code == 1
    assert result.stdout.startswith("could not be sent")
    assert "unmappable" in result.stdout


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit(3)\nDESTINATION = 5\n", "plugin.py:1 in <module>: raise SystemExit(3); SystemExit: 3"),
        ("x = 1\n", "must define DESTINATION"),
        ("DESTINATION = 5\n", "not a gateway.destinations.Destination"),
        ("import no_such_module\nDESTINATION = 5\n", "no_such_module"),
        ("from gateway.destinations.webhook import WEBHOOK\nDESTINATION = WEBHOOK\n", 'type "webhook"'),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_refused_in_words(tmp_path: Path, code: str, words: str):
    (tmp_path / "plugin.py").write_text(code)
    configuration = f'{CONFIGURATION}\n[plugins]\ndestinations = ["{tmp_path}/plugin.py"]\n'

    result = tried(tmp_path, configuration)

    assert result.exit_code == 1
    assert words in result.output
    assert "<frozen" not in result.output


def test_faults_of_plugins_are_listed_with_all_others(tmp_path: Path):
    (tmp_path / "plugin.py").write_text("import no_such_module\nDESTINATION = 5\n")
    file = tmp_path / "headwater.toml"
    plugin = f'[plugins]\ndestinations = ["{tmp_path}/plugin.py"]\n[destinations.crm]\ntype = "plugin"\n'
    file.write_text(f'{CONFIGURATION}colour = "red"\n{plugin}')

    result = headwater("check", file)

    assert result.exit_code == 1
    assert "has 2 faults" in result.output
    assert "plugins.destinations.0: " in result.output
    assert "destinations.hook.colour: unknown key" in result.output


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "def map_event(event, settings):\n    return [5]\n",
            "map_event (mine.py:{line}) returned a list with int",
        ),
        (
            "def map_event(event, settings):\n    return {}['x']\n",
            "mine.py:{next} in map_event: return {}['x']\nKey",
        ),
        ("def request(payloads, settings, sending):\n    return None\n", "request (mine.py:{line}) returned NoneType"),
        ("def request(payloads, settings, sending):\n    return 1 / 0\n", "mine.py:{next} in request: return 1 / 0"),
    ],
)
def test_a_fault_of_a_plugin_is_said_with_its_place(tmp_path: Path, code: str, words: str):
    headwater("new", "destination", "mine", "--into", tmp_path)
    file = tmp_path / "mine.py"
    before, constant, after = file.read_text().partition("DESTINATION = ")
    file.write_text(before + code + constant + after)
    line = before.count("\n") + 1
    configuration = (
        f'[sources.web]\nwrite_keys = ["k"]\n[plugins]\ndestinations = ["{file}"]\n'
        '[destinations.crm]\ntype = "mine"\nurl = "https://crm.example"\napi_key = "s3cret"\n'
    )

    result = tried(tmp_path, configuration, destination="crm")

    assert result.exit_code == 1
    assert words.replace("{line}", str(line)).replace("{next}", str(line + 1)) in result.stdout


def test_only_the_secrets_of_the_destination_that_is_tried_are_needed(tmp_path: Path):
    other = '[destinations.other]\ntype = "webhook"\nurl = "https://o.example"\nsecret = "${NOT_HERE_AT_ALL}"\n'

    result = tried(tmp_path, CONFIGURATION + other)

    assert result.exit_code == 0, result.output
    assert "NOT_HERE_AT_ALL" in tried(tmp_path, CONFIGURATION + other, destination="other").output


def test_an_event_is_tried_as_its_source_lets_it_be_kept(tmp_path: Path):
    rules = '[sources.web.privacy]\nremove = ["properties.total"]\nemails = "remove"\n'
    event = ORDER | {"properties": {"total": 12.5, "note": "for ada@shop.example"}}

    result = tried(tmp_path, CONFIGURATION + rules, event)

    (request,) = json.loads(result.stdout)
    assert request["body"]["properties"] == {"note": "for "}


def test_an_event_that_the_tracking_plan_keeps_says_what_is_wrong(tmp_path: Path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"events": {"Order Completed": {"required": ["order_id"]}}}')
    rules = f'[sources.web.tracking_plan]\npath = "{plan}"\nviolations = "quarantine"\n'

    result = tried(tmp_path, CONFIGURATION + rules)

    assert result.exit_code == 1
    assert "quarantined" in result.output
    assert '"order_id" is a required property' in result.output
