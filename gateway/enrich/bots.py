"""Whether a User-Agent header is a crawler's, a monitor's or an automated browser's that says so. What pretends to be a
browser is not found out. HTTP libraries are none of them: servers send events with those."""

import re
from collections.abc import Callable

_LIBRARY = "http-library"


def open_detector() -> Callable[[str], bool]:
    """Asks the list of the crawler-user-agents project, as one pattern."""
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # noqa: PLC0415 - a large file

    patterns = [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA if _LIBRARY not in entry.get("tags", ())]
    crawlers = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    return lambda header: crawlers.search(header) is not None
