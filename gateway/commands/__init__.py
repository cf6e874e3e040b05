"""The commands of `headwater`, thin: each asks the daemon one question and prints the answer.

Only `init`, `check` and `run` work without a daemon, and import what they need when they are called, so that the
others start at once. What events hold is hostile: nothing of it reaches the terminal without `printable`.
"""
