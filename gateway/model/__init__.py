"""The vocabulary that every room shares: envelopes, batches, events, outcomes, errors, time.

Nothing here does I/O, knows HTTP or SQL, or imports anything but the standard library.
"""
