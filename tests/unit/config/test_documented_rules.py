"""The examples of docs/privacy.md and docs/tracking-plan.md are what they say."""

import io
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.config import SourceSettings
from gateway.config.tracking_plan import read_plan
from gateway.govern.tracking_plan import TrackingPlan

DOCS = Path(__file__).parents[3] / "docs"
SEGMENT: dict[str, Any] = {
    "display_name": "Shop",
    "rules": {
        "events": [
            {
                "name": "Order Completed",
                "version": 1,
                "rules": {
                    "$schema": "http://json-schema.org/draft-07/schema#",
                    "type": "object",
                    "properties": {
                        "context": {},
                        "traits": {},
                        "properties": {"type": "object", "required": ["total"]},
                    },
                    "required": ["properties"],
                },
            },
            {"name": "Signed Up", "version": 1, "rules": {"type": "object"}},
        ],
        "identify": {"properties": {"traits": {"required": ["plan"]}}},
        "group": {},
    },
}


def fenced(page: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


@pytest.mark.parametrize("example", fenced("privacy.md", "toml"))
def test_each_example_of_privacy_rules_is_valid(example: str):
    source = tomllib.loads(example)["sources"]["web"]

    assert SourceSettings.model_validate({"write_keys": ["k"]} | source)


def test_the_plan_and_its_settings_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    ((plan,), (settings,)) = fenced("tracking-plan.md", "json"), fenced("tracking-plan.md", "toml")
    (tmp_path / "plan.json").write_text(plan)
    monkeypatch.chdir(tmp_path)

    source = SourceSettings.model_validate({"write_keys": ["k"]} | tomllib.loads(settings)["sources"]["web"])

    file = source.tracking_plan.path
    assert file is not None
    judged = TrackingPlan(file, source.tracking_plan)
    order = {"type": "track", "event": "Order Completed"}
    assert judged.violation(order | {"properties": {"order_id": "1", "total": 2, "products": [{"sku": "a"}]}}) is None
    assert judged.violation(order | {"properties": {"total": "2"}}) is not None


def test_a_plan_of_segments_is_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (program,) = fenced("tracking-plan.md", "python")
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(SEGMENT)))

    exec(program, {})

    path = tmp_path / "plan.json"
    path.write_text(capsys.readouterr().out)
    assert json.loads(path.read_text()) == {
        "events": {"Order Completed": {"type": "object", "required": ["total"]}, "Signed Up": True},
        "identify": {"required": ["plan"]},
    }
    assert read_plan(path).events.keys() == {"Order Completed", "Signed Up"}
