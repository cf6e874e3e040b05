"""The owner's code in its own process: whatever it does costs the event that it was given, and nothing else."""

import os
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from gateway.config import CodeFile
from gateway.config.code import read_transform
from gateway.transforms import Failure, Job, KeptBack, Result, Runner, TransformsError

Write = Callable[[str, str], CodeFile]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, code: str) -> CodeFile:
        path = tmp_path / name
        path.write_text(code)
        return read_transform(path)

    return written


def event(number: int, **properties: Any) -> dict[str, Any]:
    return {"messageId": f"m{number}", "type": "track", "event": "E", "properties": properties, "context": {}}


async def run(code: CodeFile, *events: dict[str, Any], timeout_s: float = 5.0) -> list[Result]:
    async with aclosing(Runner([code], timeout_s)) as runner:
        return await runner.run([Job([code], each) for each in events])


async def test_an_event_may_be_changed_kept_back_or_become_several(write: Write):
    code = write(
        "t.py",
        "async def transform(event):\n"
        "    n = event['properties']['n']\n"
        "    if n == 0: return None\n"
        "    event['properties']['seen'] = True\n"
        "    return event if n == 1 else [event, event]\n",
    )

    results = await run(code, *(event(n, n=n) for n in range(3)))

    one, two = event(1, n=1, seen=True), event(2, n=2, seen=True)
    assert results == [KeptBack("t.py", "None"), [one], [two, two]]


async def test_each_transform_is_given_what_the_one_before_it_returned(write: Write):
    double = write("double.py", "async def transform(event):\n    return [event, dict(event, event='F')]\n")
    mark = write("mark.py", "async def transform(event):\n    return dict(event, event=event['event'] + '!')\n")

    async with aclosing(Runner([double, mark], 5)) as runner:
        (result,) = await runner.run([Job([double, mark], event(1))])

    assert [each["event"] for each in result] == ["E!", "F!"]


async def test_one_that_raises_says_where_in_the_owners_own_file(write: Write):
    code = write("t.py", "async def transform(event):\n    return event['properties']['missing']['deeper']\n")

    (result,) = await run(code, event(1))

    assert isinstance(result, Failure)
    assert "t.py:2 in transform" in result.error
    assert "KeyError: 'missing'" in result.error
    assert "host.py" not in result.error


@pytest.mark.parametrize("returned", ["5", "'text'", "[1]", "True"])
async def test_what_is_no_event_is_a_failure_in_words(write: Write, returned: str):
    (result,) = await run(write("t.py", f"async def transform(event):\n    return {returned}\n"), event(1))

    assert isinstance(result, Failure)
    assert "return the event, a list of events, or None" in result.error


async def test_what_is_no_json_is_a_failure_in_words(write: Write):
    (result,) = await run(write("t.py", "async def transform(event):\n    return dict(event, x={1, 2})\n"), event(1))

    assert isinstance(result, Failure)
    assert "not JSON serializable" in result.error


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("await __import__('asyncio').sleep(3600)", "cut off"),
        ("while True: pass", "cut off"),
        ("__import__('time').sleep(3600)", "cut off"),
        ("__import__('os')._exit(3)", "ended its process"),
        ("__import__('os').kill(__import__('os').getpid(), 9)", "ended its process"),
        ("raise SystemExit", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
async def test_one_that_hangs_or_ends_costs_its_own_event_alone(write: Write, how: str, words: str):
    code = write(
        "t.py", f"async def transform(event):\n    if event['properties']['n'] == 2:\n        {how}\n    return event\n"
    )

    results = await run(code, *(event(n, n=n) for n in range(5)), timeout_s=0.3)

    assert [each for each in results if not isinstance(each, Failure)] == [[event(n, n=n)] for n in (0, 1, 3, 4)]
    (failure,) = [each for each in results if isinstance(each, Failure)]
    assert words in failure.error


async def test_those_that_wait_do_so_beside_each_other(write: Write):
    code = write(
        "t.py",
        "import asyncio\n"
        "waiting = []\n"
        "async def transform(event):\n"
        "    waiting.append(event)\n"
        "    while len(waiting) < 50: await asyncio.sleep(0.01)\n"
        "    return event\n",
    )

    results = await run(code, *(event(n) for n in range(50)))

    assert results == [[event(n)] for n in range(50)]


async def test_what_it_prints_does_not_mix_with_its_answers(write: Write, capfd: pytest.CaptureFixture[str]):
    code = write("t.py", "async def transform(event):\n    print('hello from the owner')\n    return event\n")

    results = await run(code, event(1))

    assert results == [[event(1)]]
    assert "hello from the owner" in capfd.readouterr().err


async def test_it_may_import_the_files_beside_it(write: Write, tmp_path: Path):
    (tmp_path / "prices.py").write_text("VAT = 1.19\n")
    code = write("t.py", "from prices import VAT\nasync def transform(event):\n    return dict(event, vat=VAT)\n")

    ((changed,),) = await run(code, event(1))

    assert changed["vat"] == 1.19


@pytest.mark.parametrize(
    "fault", ["import no_such_module", "1 / 0", "raise SystemExit(4)", "__import__('os')._exit(1)"]
)
async def test_a_file_that_cannot_be_loaded_is_an_error_of_the_configuration(write: Write, fault: str):
    code = write("t.py", f"async def transform(event):\n    return event\n{fault}\n")

    async with aclosing(Runner([code], 5)) as runner:
        with pytest.raises(TransformsError):
            await runner.start()


async def test_large_events_in_both_directions_do_not_block_each_other(write: Write):
    code = write("t.py", "async def transform(event):\n    return event\n")
    events = [event(n, text="x" * 400_000) for n in range(20)]

    assert await run(code, *events) == [[each] for each in events]


async def test_the_process_ends_with_its_runner(write: Write):
    code = write("t.py", "import os\nasync def transform(event):\n    return dict(event, pid=os.getpid())\n")

    ((seen,),) = await run(code, event(1))

    with pytest.raises(ProcessLookupError):
        os.kill(seen["pid"], 0)


async def test_a_transform_that_returns_nothing_at_the_end_of_a_row_is_named(write: Write):
    keep = write("keep.py", "async def transform(event):\n    return event\n")
    forgot = write("forgot.py", "async def transform(event):\n    event['context'] = {}\n")

    async with aclosing(Runner([keep, forgot], 5)) as runner:
        results = await runner.run([Job([keep, keep, forgot], event(1)), Job([keep, keep], event(2))])

    assert results == [KeptBack("forgot.py", "None"), [event(2)]]
