"""Notices to systemd, received on a real socket in its place."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.model.clock import ManualClock
from gateway.observe.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify") if request.param == "path" else f"\0headwater-{tmp_path}")
        listener.setblocking(False)
        yield listener


def environ_of(manager: socket.socket) -> dict[str, str]:
    name = manager.getsockname()
    return {"NOTIFY_SOCKET": name if isinstance(name, str) else "@" + name[1:].decode(), "PATH": "/bin"}


def received(manager: socket.socket) -> list[str]:
    messages = []
    while True:
        try:
            messages.append(manager.recv(4096).decode())
        except BlockingIOError:
            return messages


def test_each_step_of_the_daemons_life_is_told(manager: socket.socket):
    clock = ManualClock()
    clock.advance(12.5)
    notifier = Notifier(environ_of(manager), clock)

    notifier.ready()
    notifier.status("taking events")
    notifier.reloading()
    notifier.stopping()

    assert received(manager) == [
        "READY=1",
        "STATUS=taking events",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "STOPPING=1",
    ]


def test_the_watchdog_is_fed_at_most_three_times_in_its_interval(manager: socket.socket):
    clock = ManualClock()
    notifier = Notifier(environ_of(manager) | {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, clock)

    for _ in range(300):
        notifier.beat()
        clock.advance(0.1)

    assert received(manager) == ["WATCHDOG=1"] * 3


@pytest.mark.parametrize("watchdog", [{}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}])
def test_no_watchdog_is_fed_that_is_not_ours(manager: socket.socket, watchdog: dict[str, str]):
    notifier = Notifier(environ_of(manager) | watchdog, ManualClock())

    notifier.beat()

    assert received(manager) == []


def test_children_do_not_inherit_the_variables(manager: socket.socket):
    environ = environ_of(manager) | {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}

    Notifier(environ, ManualClock())

    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_without_a_manager_that_listens_nothing_happens(environ: dict[str, str]):
    notifier = Notifier(environ, ManualClock())

    notifier.ready()
    notifier.beat()
