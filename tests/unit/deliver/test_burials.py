"""Dead letters in the log: seen at once, and no flood."""

from typing import Any

from structlog.testing import capture_logs

from gateway.deliver.burials import QUIET_S, Burials
from gateway.deliver.cursor_name import CursorName
from gateway.observe.metrics import Metrics


class Clock:
    """Goes when it is told to."""

    now_s = 1000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def now_ms(self) -> int:
        return round(self.now_s * 1000)


def line(letters: int, destination: str = "crm", reason: str = "rejected") -> dict[str, Any]:
    return {
        "event": "destination.dead_letters",
        "log_level": "warning",
        "destination": destination,
        "reason": reason,
        "letters": letters,
        "look": f"headwater dead list --destination {destination}",
    }


def test_the_first_letter_is_told_at_once_and_those_that_follow_with_the_next_line():
    clock, metrics = Clock(), Metrics("0")
    burials = Burials(metrics, clock)

    with capture_logs() as lines:
        burials.note(CursorName("crm"), "rejected")
        for _ in range(500):
            burials.note(CursorName("crm"), "rejected", 2)
        clock.now_s += QUIET_S
        burials.note(CursorName("crm"), "rejected")

    assert lines == [line(1), line(1001)]
    labels = {"destination": "crm", "reason": "rejected"}
    assert metrics.registry.get_sample_value("headwater_destination_dead_total", labels) == 1002


def test_every_destination_and_reason_has_lines_of_its_own():
    burials = Burials(Metrics("0"), Clock())

    with capture_logs() as lines:
        burials.note(CursorName("crm"), "rejected")
        burials.note(CursorName("crm"), "transform_failed")
        burials.note(CursorName("mail"), "rejected")

    assert lines == [line(1), line(1, reason="transform_failed"), line(1, "mail")]
