"""Where the public listener's sockets come from: systemd, which holds them over a restart (sd_listen_fds(3)), or us."""

import os
import socket
from collections.abc import MutableMapping
from pathlib import Path

from gateway.model.errors import ConfigError

FIRST_DESCRIPTOR = 3
SOCKET_MODE = 0o660


def open_listener(listen: str, environ: MutableMapping[str, str]) -> list[socket.socket]:
    """The sockets that were handed over, else one bound to `listen` (host:port or unix:/path).

    Raises ConfigError when the address cannot be had.
    """
    inherited = [each for sockets in listening_sockets(environ).values() for each in sockets]
    try:
        return inherited or [_bind(listen)]
    except (OSError, ValueError) as error:
        hint = "is another daemon running? else change it"
        raise ConfigError(f"server.listen {listen}: {error}", hint=hint) from error


def listening_sockets(environ: MutableMapping[str, str]) -> dict[str, list[socket.socket]]:
    """The sockets that were handed over, by the name of their unit (`FileDescriptorName=`); empty without any.

    Names that systemd did not give are `unknown`. The variables are removed from `environ`, so that no child takes the
    sockets for its own.
    """
    addressee = environ.pop("LISTEN_PID", "")
    count = int(environ.pop("LISTEN_FDS", "0"))
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    found: dict[str, list[socket.socket]] = {}
    if addressee != str(os.getpid()):
        return found
    for index in range(count):
        name = names[index] if index < len(names) and names[index] else "unknown"
        found.setdefault(name, []).append(_adopt(FIRST_DESCRIPTOR + index))
    return found


def _bind(listen: str) -> socket.socket:
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        path.unlink(missing_ok=True)
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(path))
        path.chmod(SOCKET_MODE)
    else:
        host, _, port = listen.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=0)
    bound.setblocking(False)
    return bound


def _adopt(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    adopted = socket.socket(fileno=descriptor)
    adopted.setblocking(False)
    return adopted
