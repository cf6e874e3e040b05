"""The worked examples of docs/identity.md, from HTTP requests to rows of person_events."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from tests.e2e.harness.configuration import WAREHOUSE, Plan
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.sending import Client, Event

DOCUMENT = Path(__file__).parents[2] / "docs" / "identity.md"
COLUMNS = ["time", "event", "anonymous id", "user id", "more", "whose"]
JUNK = {"undefined", "null"}
NOBODY = "nobody"


class Example(NamedTuple):
    """Its title, and its lines as the columns say."""

    title: str
    lines: Sequence[dict[str, str]]


def worked_examples() -> list[Example]:
    """Those of the document, in its order."""
    section = DOCUMENT.read_text().partition("## Worked examples")[2].partition("\n## ")[0]
    examples = []
    for part in section.split("\n### ")[1:]:
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line[:1] == "|"]
        assert rows[0] == COLUMNS, part
        examples.append(Example(part.partition("\n")[0], [dict(zip(COLUMNS, row, strict=True)) for row in rows[2:]]))
    return examples


def event_of(example: Example, number: int) -> Event:
    """The line as a client sends it. Ids and addresses are the example's own."""
    line = example.lines[number]
    event: dict[str, Any] = {
        "type": line["event"],
        "messageId": f"{example.title} {number}",
        "timestamp": f"2026-01-01T{line['time']}:00.000Z",
    }
    for column, key in (("anonymous id", "anonymousId"), ("user id", "userId")):
        if line[column]:
            event[key] = _own(example, line[column])
    word, _, value = line["more"].partition(" ")
    if word == "previous":
        event["previousId"] = _own(example, value)
    if word == "email":
        event["traits"] = {"email": f"{example.title} {value}"}
    if line["event"] == "track":
        event["event"] = "Order Completed"
    return event


def _own(example: Example, value: str) -> str:
    return value if value in JUNK else f"{example.title} {value}"


async def test_each_event_is_whose_the_example_says(make_daemon: MakeDaemon, http: aiohttp.ClientSession):
    daemon = make_daemon(Plan(destinations=WAREHOUSE))
    await daemon.start()
    client, examples = Client(daemon.url, http), worked_examples()
    assert len(examples) >= 10
    for example in examples:
        for number in range(len(example.lines)):
            status, _ = await client.post("/v1/batch", {"batch": [event_of(example, number)]})
            assert status == 200
    await daemon.settled("warehouse")

    found = {row["id"]: row["person_id"] for row in await daemon.sql("select id, person_id from person_events")}
    for example in examples:
        _compare(example, found)
    await _the_person_is_explained(daemon)


def _compare(example: Example, found: dict[str, str | None]) -> None:
    persons: dict[str, set[str | None]] = defaultdict(set)
    for number, line in enumerate(example.lines):
        persons[line["whose"]].add(found[f"{example.title} {number}"])
    assert persons.pop(NOBODY, {None}) == {None}, example.title
    assert all(len(ids) == 1 for ids in persons.values()), (example.title, persons)
    assert len({str(ids) for ids in persons.values()}) == len(persons), (example.title, persons)


async def _the_person_is_explained(daemon: Daemon) -> None:
    """By any identifier, in the words of the command line."""
    said = await daemon.command("person", "Alias laptop")
    assert said.code == 0, said.err
    for word in ("Alias 17", "Alias 4711", "merge", "alias", "Order Completed"):
        assert word in said.out
    unknown = await daemon.command("person", "nobody at all")
    assert (unknown.code, "nothing is known" in unknown.err) == (1, True)
    taken_back = await daemon.command("person", "unmerge", "Alias 4711", "Alias 17", "--yes")
    assert taken_back.code == 0, taken_back.err
    users = "user_id in ('Alias 17', 'Alias 4711')"
    assert len(await daemon.sql(f"select distinct person_id from person_events where {users}")) == 2
    rebuilt = await daemon.command("person", "rebuild")
    assert " 0 differences" in rebuilt.out, rebuilt.out + rebuilt.err
