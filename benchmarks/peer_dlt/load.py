"""Loads events by dlt, in the environment of its own that requirements.txt makes: benchmarks/warehouses.py runs it.

An event becomes the rows that Headwater makes of it: one in `tracks`, whose `properties` are JSON, and one in the table
of its name, flattened by dlt. The settings are what "Optimizing dlt" of its manual advises: pages instead of rows,
larger buffers, files that are not compressed, the destination's fastest file format, the events parsed ahead by orjson.

Run: load.py EVENTS (a file of JSON lines), then the options; says `ready` after a warm-up, and measures when a line
comes in. Answers with JSON: events, seconds, cpu_s (this process and its workers), rows.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = 2_000
WARM_UP = 1_000
ADVISED = {"DATA_WRITER__BUFFER_MAX_ITEMS": "20000", "DATA_WRITER__DISABLE_COMPRESSION": "true"}
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

Event = dict[str, Any]


def tables(events: list[Event], disposition: Any) -> list[Any]:
    """What dlt calls resources."""
    import dlt  # noqa: PLC0415 - it reads the environment

    pages = [events[start : start + PAGE] for start in range(0, len(events), PAGE)]
    common = {"write_disposition": disposition, "primary_key": "messageId"}

    @dlt.resource(name="own", table_name=lambda event: event.get("event", "identifies"), **common)
    def own() -> Iterator[list[Event]]:
        yield from pages

    @dlt.resource(name="tracks", columns={"properties": {"data_type": "json"}}, **common)
    def tracks() -> Iterator[list[Event]]:
        for page in pages:
            yield [event for event in page if event["type"] == "track"]

    return [own(), tracks()]


def cpu_s() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=Path)
    parser.add_argument("--destination", required=True)
    parser.add_argument("--credentials", required=True)
    parser.add_argument("--format", help="the destination's own choice when not told")
    parser.add_argument("--workers", default="1")
    parser.add_argument("--as-it-comes", action="store_true", help="without what its manual advises")
    parser.add_argument("--merge", action="store_true", help="no id twice, as Headwater has it; else rows are added")
    chosen = parser.parse_args()
    os.environ |= QUIET | ({} if chosen.as_it_comes else ADVISED) | {"NORMALIZE__WORKERS": chosen.workers}
    import dlt  # noqa: PLC0415 - it reads the environment
    import orjson  # noqa: PLC0415 - of this environment

    events = [orjson.loads(line) for line in chosen.events.read_bytes().splitlines()]
    merged: Any = "merge" if chosen.as_it_comes else {"disposition": "merge", "strategy": "insert-only"}
    disposition = merged if chosen.merge else "append"
    with tempfile.TemporaryDirectory() as folder:
        destination = getattr(dlt.destinations, chosen.destination)(chosen.credentials)
        pipeline = dlt.pipeline("events", folder, destination=destination, dataset_name=f"dlt_{os.getpid()}")
        pipeline.run(tables(events[:WARM_UP], disposition), loader_file_format=chosen.format)
        print("ready", flush=True)
        sys.stdin.readline()
        started_s, cpu_before_s = time.perf_counter(), cpu_s()
        pipeline.run(tables(events[WARM_UP:], disposition), loader_file_format=chosen.format)
        took_s, used_s = time.perf_counter() - started_s, cpu_s() - cpu_before_s
        counts = pipeline.last_trace.last_normalize_info.row_counts
    rows = sum(number for table, number in counts.items() if not table.startswith("_dlt"))
    print(json.dumps({"events": len(events) - WARM_UP, "seconds": took_s, "cpu_s": used_s, "rows": rows}), flush=True)


if __name__ == "__main__":
    main()
