"""The campaign in a page's address: `utm_*`, as Segment's spec has it in `context.campaign`."""

from urllib.parse import parse_qsl, urlsplit

_MARK = "utm_"
_NAMES = {"campaign": "name"}
"""Where the spec's name is not the parameter's."""


def campaign_of(url: str) -> dict[str, str]:
    """Empty where there is none."""
    if _MARK not in url:
        return {}
    try:
        query = parse_qsl(urlsplit(url).query)
    except ValueError:
        return {}
    found = {key.removeprefix(_MARK): value for key, value in query if key.startswith(_MARK) and value}
    return {_NAMES.get(key, key): value for key, value in found.items() if key}
