"""Alive and ready, and the reasons why not."""

from gateway.model.clock import ManualClock
from gateway.observe.health import Health, Heartbeat


def test_a_daemon_that_starts_or_stops_is_alive_and_not_ready():
    health = Health()
    assert health.not_alive() == {}
    assert health.not_ready() == {"daemon": "the daemon is starting"}

    health.phase = "running"
    assert health.not_ready() == {}

    health.phase = "stopping"
    assert health.not_ready() == {"daemon": "the daemon is stopping"}


def test_every_failing_check_is_named_with_its_reason():
    health = Health()
    health.phase = "running"
    health.require_ready("queue", lambda: "the disk is full")
    health.require_ready("clock", lambda: "")

    assert health.not_ready() == {"queue": "the disk is full"}
    assert health.not_alive() == {}


def test_what_is_not_alive_is_not_ready():
    health = Health()
    health.phase = "running"
    health.require_alive("writer", lambda: "stuck")

    assert health.not_alive() == {"writer": "stuck"}
    assert health.not_ready() == {"writer": "stuck"}


def test_a_heart_that_does_not_beat_for_longer_than_its_limit_is_a_failure_until_it_beats_again():
    clock = ManualClock()
    heartbeat = Heartbeat(clock, 15, "the queue's writer")

    clock.advance(15)
    assert heartbeat.check() == ""

    clock.advance(1)
    assert heartbeat.check() == "the queue's writer has been silent for 16 s"

    heartbeat.beat()
    assert heartbeat.check() == ""
