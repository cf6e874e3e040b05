"""docs/http-api.md says everything that a client may hear."""

from pathlib import Path

from gateway.collect import refusals
from gateway.collect.refusals import Refusal

API = (Path(__file__).parents[3] / "docs" / "http-api.md").read_text()


def test_every_refusal_is_documented_with_its_code():
    known = {each.code: each for each in vars(refusals).values() if isinstance(each, Refusal)}
    undocumented = [code for code in known if f"| `{code}` |" not in API]

    assert len(known) > 20
    assert undocumented == []


def test_a_refusal_is_permanent_and_says_what_to_do():
    for refusal in (each for each in vars(refusals).values() if isinstance(each, Refusal)):
        assert refusal.status in {400, 401}
        assert refusal.message.endswith(".")
