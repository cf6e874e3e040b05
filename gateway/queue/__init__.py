"""The write-ahead queue: an append-only log of events in one SQLite database, and the cursors into it.

What always holds: an append that has returned is on disk; offsets are contiguous and never reused; an undelivered
event is never removed; one connection exists in the whole system. Imports model, config and observe.
"""
