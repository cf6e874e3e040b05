"""The parts of a test's headwater.toml."""

from dataclasses import dataclass

WRITE_KEY = "the-write-key"
SOURCES = f'[sources.web]\nwrite_keys = ["{WRITE_KEY}"]\nallowed_origins = ["*"]\n'
WAREHOUSE = '[destinations.warehouse]\ntype = "duckdb"\npath = "{duckdb}"\n'
QUICK_RETRY = 'retry = { first_delay = "50ms", max_delay = "500ms" }\n'


@dataclass(frozen=True)
class Plan:
    """Lines of TOML for the sections that exist anyway, and whole sections. `{duckdb}` becomes the database's path."""

    destinations: str = ""
    sources: str = SOURCES
    server: str = ""
    queue: str = ""
    """Without a `path` in it, the queue is in the daemon's own directory."""
    more: str = ""


def webhook(name: str, url: str, more: str = "batched = true\n") -> str:
    """A webhook destination that tries again soon."""
    return f'[destinations.{name}]\ntype = "webhook"\nurl = "{url}"\n{QUICK_RETRY}{more}'
