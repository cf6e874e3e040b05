"""The workers: each reads the queue at its own cursor, maps, sends, retries, and records every outcome.

What always holds: one slow or broken destination never delays another; every event gets exactly one outcome; a person's
events keep their order but for a bounded wait. docs/delivery.md says what an owner sees of it.

`delivery` starts and stops workers. A tool's (`tool_worker`) goes reader -> lanes -> sender -> aftermath -> recorder,
with `letter_rounds` beside; a warehouse's (`warehouse_worker`) goes reconcile -> loader, and `backfill` brings what an
archive has of the past. Decisions are pure and have files of their own: hold, sightings, owner, prepare, lanes,
isolate, breaker, backoff, rate, failures, progress, spans.

Imports all rooms but collect and admin.
"""
