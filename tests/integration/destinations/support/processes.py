"""Brokers as processes of a test: real programs on ports and folders of their own."""

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

START_S = 60.0
STOP_S = 30.0


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key_file), "-out", str(certificate_file)]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files],
        check=True,
        capture_output=True,
    )
    return certificate_file, key_file


class Process:
    """A program that is started, ended and started again; its output is in a file."""

    def __init__(self, command: Sequence[str], output: Path, is_ready: Callable[[], bool]) -> None:
        self._command = command
        self._output = output
        self._is_ready = is_ready
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it is ready; a program that is missing or does not get ready fails the test."""
        with self._output.open("ab") as output:
            self._running = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT)
        until_s = time.monotonic() + START_S
        while not self._is_ready():
            assert self._running.poll() is None, self._output.read_text()
            assert time.monotonic() < until_s, self._output.read_text()
            time.sleep(0.05)

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Ended by the signal."""
        if self._running is not None:
            self._running.send_signal(signal_number)
            self._running.wait(STOP_S)
            self._running = None

    def freeze(self) -> None:
        """It stays, and does nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        """Sends it."""
        assert self._running is not None
        self._running.send_signal(number)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
