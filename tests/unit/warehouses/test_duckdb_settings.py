"""What an owner leaves out keeps the warehouse's own default; what would confuse the graph is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.warehouses.duckdb.settings import DuckDBSettings


def test_one_key_of_the_batch_leaves_the_others_as_they_are():
    default = DuckDBSettings(path=Path("events.duckdb")).batch

    changed = DuckDBSettings.model_validate({"path": "events.duckdb", "batch": {"max_events": 5}}).batch

    assert changed == default.model_copy(update={"max_events": 5})


@pytest.mark.parametrize("trait", ["group", "user_id", "anonymous_id", "alias"])
def test_a_trait_that_is_called_like_something_in_the_graph_does_not_identify(trait: str):
    with pytest.raises(ValidationError, match="has a meaning of its own in the graph"):
        DuckDBSettings.model_validate({"path": "events.duckdb", "identity": {"strong": [trait]}})


def test_a_user_id_may_have_a_limit():
    identity = {"limits": {"user_id": 2}}

    assert (
        DuckDBSettings.model_validate({"path": "events.duckdb", "identity": identity}).identity.limits["user_id"] == 2
    )
