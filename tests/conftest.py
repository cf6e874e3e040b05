"""What holds for every test."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, print_blob=True, deadline=None)
settings.load_profile("repeatable")
"""A change is judged by the same examples every time, however busy the machine is; `make soak` looks for new ones."""
