"""Events that a tracking plan keeps from every destination."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.config import TrackingPlanSettings
from gateway.deliver import quarantine
from gateway.deliver.progress import Unsendable
from gateway.deliver.quarantine import NOTHING_KEPT, Quarantine
from gateway.model.envelope import Envelope, Stored


@pytest.fixture
def settings(tmp_path: Path) -> TrackingPlanSettings:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"events": {"Paid": {"required": ["total"]}}}))
    return TrackingPlanSettings(path=path, violations="quarantine", unplanned="report")


def kept(by: Quarantine, offset: int = 0, source: str = "web", event: str = "Paid", **properties: Any) -> str:
    found = by.keeps(
        Stored(offset, b"", Envelope(source, 0)), {"type": "track", "event": event, "properties": properties}
    )
    assert found is None or found == Unsendable("quarantined", found.error)
    return found.error if found else ""


def test_events_of_the_planned_source_that_are_not_as_planned_are_kept(settings: TrackingPlanSettings):
    by = Quarantine({"web": settings})

    assert kept(by) == 'properties: "total" is a required property'
    assert kept(by, 1, total=1) == ""
    assert kept(by, 2, event="Other") == "", "what is only reported goes on"
    assert kept(by, 3, source="server") == ""
    assert kept(NOTHING_KEPT) == ""


def test_it_concerns_those_who_are_fed_by_such_a_source(settings: TrackingPlanSettings):
    by = Quarantine({"web": settings, "server": settings.model_copy(update={"violations": "block"})})

    assert by.concerns(())
    assert by.concerns(("server", "web"))
    assert not by.concerns(("server",))
    assert not Quarantine({"web": TrackingPlanSettings(violations="quarantine")}).concerns(())


def test_an_event_is_judged_once_for_all_destinations(settings: TrackingPlanSettings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quarantine, "REMEMBERED", 2)
    by = Quarantine({"web": settings})
    kept(by, 0)

    assert kept(by, 0, total=1), "the verdict of the offset is remembered"
    for offset in (1, 2):
        kept(by, offset)
    assert kept(by, 0, total=1) == "", "and forgotten in time"
