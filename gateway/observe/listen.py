"""Sockets that systemd holds for us, so that a restart refuses no connection: sd_listen_fds(3)."""

import os
import socket
from collections.abc import MutableMapping

FIRST_DESCRIPTOR = 3


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


def _adopt(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    adopted = socket.socket(fileno=descriptor)
    adopted.setblocking(False)
    return adopted
