"""The workers: each reads the queue at its own cursor, maps, sends, retries, and records every outcome.

One slow or broken destination never delays another.

Imports all rooms but collect and admin.
"""
