"""What holds for every test."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("search", derandomize=False, print_blob=True)
settings.load_profile("repeatable")
"""A change is judged by the same examples every time; `make soak` looks for new ones."""
