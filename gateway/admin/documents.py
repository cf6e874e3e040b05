"""The queue's records and the workers' states as JSON documents. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from prometheus_client import Counter

from gateway.admin.answers import as_stored, iso
from gateway.config import DestinationSettings
from gateway.deliver.status import DestinationStatus
from gateway.observe.metrics import Metrics
from gateway.queue import Job
from gateway.queue.records import Cursor, Letter, Located, QueueStatus, Rejected

Document = dict[str, Any]


def queue_document(status: QueueStatus) -> Document:
    """The queue at this moment."""
    document = asdict(status)
    document["oldest_received_at"] = iso(document.pop("oldest_received_at_ms"))
    return document


def destination_document(status: DestinationStatus) -> Document:
    """A worker at this moment."""
    document = asdict(status)
    document["failing_since"] = iso(document.pop("failing_since_ms"))
    document["next_attempt_at"] = iso(document.pop("next_attempt_at_ms"))
    return document


def letter_document(letter: Letter) -> Document:
    """A letter without its event."""
    return {
        "id": letter.id,
        "destination": letter.destination,
        "state": letter.state,
        "reason": letter.reason,
        "error": letter.error,
        "attempts": letter.attempts,
        "message_id": letter.message_id,
        "source": letter.source,
        "offset": letter.offset,
        "received_at": iso(letter.received_at_ms),
        "failing_since": iso(letter.failing_since_ms),
        "next_attempt_at": iso(letter.next_attempt_at_ms) if letter.state == "retry" else None,
    }


def located_document(found: Located) -> Document:
    """An event where it lies in the log."""
    return {
        "offset": found.offset,
        "source": found.source,
        "received_at": iso(found.received_at_ms),
        "event": as_stored(found.event),
    }


def rejected_document(rejected: Rejected) -> Document:
    """A refused event; its body may be anything, and may be cut."""
    return {
        "at": iso(rejected.at_ms),
        "source": rejected.source,
        "reason": rejected.reason,
        "detail": rejected.detail,
        "ip": rejected.ip,
        "body": rejected.body.decode(errors="replace"),
    }


def job_document(job: Job, waiting: Mapping[int, str]) -> Document:
    """An order to forget a person, without the person. `waiting` says why an open one does not go on."""
    return {
        "id": job.id,
        "step": job.step,
        "asked_at": iso(job.asked_at_ms),
        "finished_at": iso(job.finished_at_ms),
        "waiting": waiting.get(job.id, ""),
        "removed": asdict(job.report),
    }


def intake_documents(metrics: Metrics, sources: Iterable[str]) -> list[Document]:
    """What each source sent since the daemon started, and what became of it at the door."""
    counters = {"accepted": metrics.accepted, "duplicates": metrics.duplicates, "rejected": metrics.rejected}
    counts = {name: _by_source(counter) for name, counter in counters.items()}
    seen = {source for by_source in counts.values() for source in by_source}
    names: Sequence[str] = sorted(seen | set(sources))
    return [
        {"source": source} | {name: by_source.get(source, 0) for name, by_source in counts.items()} for source in names
    ]


def filtered_documents(metrics: Metrics) -> list[Document]:
    """How many events each rule kept back from each destination since the daemon started. Replays count together."""
    counts = [{**labels, "events": events} for labels, events in _counts(metrics.filtered)]
    return sorted(counts, key=lambda count: (count["destination"], count["rule"]))


def left_over_documents(
    cursors: Iterable[Cursor], destinations: Mapping[str, DestinationSettings], head_offset: int
) -> list[Document]:
    """Destinations that are disabled or no longer configured, and whose cursors still hold events back."""
    return [
        {
            "name": cursor.destination,
            "state": "disabled" if cursor.destination.partition("#")[0] in destinations else "removed",
            "pending": (head_offset if cursor.end_offset is None else cursor.end_offset)
            - cursor.next_offset
            + cursor.retrying,
            "dead": cursor.dead,
        }
        for cursor in sorted(cursors, key=lambda cursor: cursor.destination)
        if not _is_enabled(destinations.get(cursor.destination.partition("#")[0]))
    ]


def _is_enabled(settings: DestinationSettings | None) -> bool:
    return settings is not None and settings.enabled


def _by_source(counter: Counter) -> dict[str, int]:
    totals: dict[str, int] = {}
    for labels, count in _counts(counter):
        totals[labels["source"]] = totals.get(labels["source"], 0) + count
    return totals


def _counts(counter: Counter) -> list[tuple[dict[str, str], int]]:
    """What was counted for each combination of labels."""
    samples = [sample for metric in counter.collect() for sample in metric.samples]
    return [(sample.labels, round(sample.value)) for sample in samples if sample.name.endswith("_total")]
