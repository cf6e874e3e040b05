"""Sockets from systemd, handed to a real child process as systemd does it."""

import os
import socket
import subprocess
import sys

from gateway.observe.listen import listening_sockets

CHILD = """
import os, sys
from gateway.observe.listen import listening_sockets
os.environ["LISTEN_PID"] = str(os.getpid())
for name, sockets in listening_sockets(os.environ).items():
    print(name, *(s.getsockname()[1] for s in sockets), *(s.get_inheritable() for s in sockets))
print([name for name in os.environ if name.startswith("LISTEN")])
"""


def test_sockets_are_found_by_the_names_of_their_units_and_are_not_passed_on():
    with socket.create_server(("127.0.0.1", 0)) as public, socket.create_server(("127.0.0.1", 0)) as admin:
        environ = os.environ | {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "headwater.socket:admin"}
        places = (public.fileno(), admin.fileno())

        output = run_with_descriptors(places, environ)

        ports = [each.getsockname()[1] for each in (public, admin)]
    assert output == [f"headwater.socket {ports[0]} False", f"admin {ports[1]} False", "[]"]


def test_sockets_without_a_name_are_unknown():
    with socket.create_server(("127.0.0.1", 0)) as public:
        output = run_with_descriptors((public.fileno(),), os.environ | {"LISTEN_FDS": "1"})

        assert output == [f"unknown {public.getsockname()[1]} False", "[]"]


def test_sockets_that_were_meant_for_another_process_are_left_alone():
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "PATH": "/bin"}

    assert listening_sockets(environ) == {}
    assert environ == {"PATH": "/bin"}


def test_without_systemd_there_are_none():
    assert listening_sockets({}) == {}


def run_with_descriptors(descriptors: tuple[int, ...], environ: dict[str, str]) -> list[str]:
    """The lines of a child in which `descriptors` are 3, 4 and so on."""
    moves = "".join(f" {3 + index}<&{descriptor}" for index, descriptor in enumerate(descriptors))
    command = ["/bin/bash", "-c", f'exec "$0" -c "$1"{moves}', sys.executable, CHILD]
    done = subprocess.run(command, env=environ, pass_fds=descriptors, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()
