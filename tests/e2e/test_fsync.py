"""Acknowledged means on disk, also for a power cut: the kernel's own record of what the daemon asked of it.

A killed process leaves what it wrote in the kernel's memory, so killing it proves nothing about fsync. strace does.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.harness.configuration import Plan
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.sending import Client, tracks

REQUESTS = 25
CALLS = "trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg"
WRITTEN = re.compile(r"pwrite64\(\d+<[^>]*-wal>")
SYNCED = re.compile(r"(?:fsync|fdatasync)\(\d+<[^>]*-wal>\)?\s+= 0|<\.\.\. (?:fsync|fdatasync) resumed>\)\s+= 0")
ANSWERED = re.compile(r'(?:write|writev|sendto|sendmsg)\(.*"HTTP/1\.1 200')


@pytest.mark.parametrize(("durability", "are_synced"), [("full", REQUESTS), ("normal", 0)])
async def test_an_answer_waits_for_the_disk(
    make_daemon: MakeDaemon, http: aiohttp.ClientSession, durability: str, are_synced: int
):
    daemon = make_daemon(Plan(queue=f'durability = "{durability}"\n'))
    record = daemon.directory / "calls"
    # -D: the daemon itself is our child, and strace its grandchild, so that signals reach the daemon.
    await daemon.start(wrapper=["strace", "-D", "-f", "--seccomp-bpf", "-y", "-e", CALLS, "-o", str(record)])
    client = Client(daemon.url, http)

    for event in tracks(REQUESTS):
        await client.accept([event])
    assert await daemon.stop() == 0

    answers = list(steps_before_each_answer(record))[-REQUESTS:]
    assert len(answers) == REQUESTS
    assert sum("written" in steps for steps in answers) == REQUESTS
    assert sum(is_in_order(steps) for steps in answers) == are_synced


def steps_before_each_answer(record: Path) -> Iterator[list[str]]:
    """What was done with the log since the answer before, in order: written, synced."""
    steps: list[str] = []
    for line in record.read_text(errors="replace").splitlines():
        if ANSWERED.search(line):
            yield steps
            steps = []
        elif WRITTEN.search(line):
            steps.append("written")
        elif SYNCED.search(line):
            steps.append("synced")


def is_in_order(steps: list[str]) -> bool:
    """Whether the log was synced after it was written."""
    return "written" in steps and "synced" in steps[steps.index("written") :]
