"""The file of a tracking plan, as the configuration reads it."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config import SourceSettings

PLAN = {"events": {"Order Completed": {"required": ["total"]}}, "identify": {"type": "object"}}


def source(path: Path | str) -> SourceSettings:
    return SourceSettings(write_keys=("k",), tracking_plan={"path": path})


def test_a_version_of_a_plan_is_told_from_another_by_what_is_in_it(tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN))
    first, again = source(path), source(path)
    path.write_text(json.dumps(PLAN | {"page": True}))

    assert first == again
    assert first != source(path)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ([], "write an object"),
        ({"tracks": {}}, 'unknown key "tracks"; there are events, page, screen, identify, group'),
        ({"events": []}, "events: write an object with a JSON Schema for each name"),
        ({"events": {"E": 5}}, 'events."E": write a JSON Schema'),
        ({"page": None}, "page: write a JSON Schema"),
        (
            {"events": {"E": {"properties": {"total": {"type": "nubmer"}}}}},
            'events."E".properties.total.type: "nubmer"',
        ),
        ({"page": {"properties": {"sku": {"pattern": "("}}}}, 'page.properties.sku.pattern: "\\("'),
        ({"group": {"$ref": "https://schemas.example/x.json"}}, "group: .* Retrieval is disabled"),
        ({"group": {"$ref": "#/$defs/x"}}, "group: .*does not exist"),
        ({"group": {"$schema": "https://schemas.example/x"}}, "group: Unknown meta-schema"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_in_words_that_say_where(tmp_path: Path, plan: Any, words: str):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))

    with pytest.raises(ValidationError, match=words):
        source(path)


@pytest.mark.parametrize(("content", "words"), [("{", "is not JSON"), (None, "No such file")])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, content: str | None, words: str):
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ValidationError, match=words):
        source(path)
    with pytest.raises(ValidationError, match="path of a JSON file"):
        source(5)  # type: ignore[arg-type]  # what a careless file may hold


@pytest.mark.parametrize("draft", ["draft-04", "draft-06", "draft-07", "2019-09", "2020-12"])
def test_a_schema_may_say_of_which_draft_it_is(tmp_path: Path, draft: str):
    uri = (
        f"http://json-schema.org/{draft}/schema#"
        if "draft" in draft
        else f"https://json-schema.org/draft/{draft}/schema"
    )
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"page": {"$schema": uri, "type": "object"}}))

    assert source(path).tracking_plan.path is not None
