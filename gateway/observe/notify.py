"""Notices to systemd: sd_notify(3), spoken directly because it is one datagram."""

import os
import socket
from collections.abc import MutableMapping

from gateway.model.clock import Clock

BEATS_PER_WATCHDOG = 3
"""sd_watchdog_enabled(3) asks for at least two; one may get lost."""


class Notifier:
    """Tells the service manager how we are. Without NOTIFY_SOCKET in `environ` it does nothing.

    The variables are removed from `environ`, so that no child speaks in our name.
    """

    def __init__(self, environ: MutableMapping[str, str], clock: Clock) -> None:
        self._clock = clock
        self._address = environ.pop("NOTIFY_SOCKET", "")
        is_ours = environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watchdog_us = int(environ.pop("WATCHDOG_USEC", "0")) if is_ours else 0
        self._beat_every_s = watchdog_us / 1_000_000 / BEATS_PER_WATCHDOG
        self._beaten_at_s = float("-inf")

    def ready(self) -> None:
        """Started, or reloaded."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Reading the configuration again; `ready` follows."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={round(self._clock.monotonic_s() * 1_000_000)}")

    def stopping(self) -> None:
        """On the way out."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def beat(self) -> None:
        """Feed the watchdog. May be called as often as one likes."""
        now_s = self._clock.monotonic_s()
        if self._beat_every_s and now_s - self._beaten_at_s >= self._beat_every_s:
            self._beaten_at_s = now_s
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
            try:
                channel.sendto(message.encode(), address)
            except OSError:  # a manager that is gone or busy must not take events down with it
                return
