"""E-mail addresses in texts, and in addresses of pages, where the @ may be percent-encoded. Pure.

What looks like one counts as one: a text that is not an address and is taken for one costs less than one that is kept.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote

AT = r"(?:@|%(?:25)*40)"
"""Also as it is in an address within an address, where % is %25."""

_ESCAPE = "%(?:25)*(?:2[BbDdEe]|5[Ff]|7[Ee]|27|[89A-Fa-f][0-9A-Fa-f])"
"""+ - . _ ~ ' and letters beyond ASCII; all else that is percent-encoded stands between words."""
_WORD = rf"(?:\w|{_ESCAPE})(?:[\w.+'~!$*^-]|{_ESCAPE})*+"
_LABEL = r"(?:[\w-]|%(?:25)*[89A-Fa-f][0-9A-Fa-f])++"
_PICTURE = r"\d(?:\.\d)?x\.(?:png|jpe?g|gif|webp|avif|svg)\b"
"""`logo@2x.png` is a picture for fine screens."""
_ADDRESS = re.compile(
    rf"(?P<address>{_WORD}{AT}(?!{_PICTURE})(?:{_LABEL}\.)+[^\W\d_](?:[\w-]*\w)?)|{_WORD}|%(?:25)*[0-9A-Fa-f]{{2}}"
)
"""An address, or else what it cannot begin in the middle of: each place is looked at once, whatever a client sends."""
_ENCODED = re.compile("%(?:25)*40")
_MAX_LAYERS = 3


def may_hold(text: str) -> bool:
    """Whether the text may hold an address; cheap, since most texts do not."""
    return "@" in text or ("%" in text and _ENCODED.search(text) is not None)


def replaced(text: str, replacement: Callable[[str], str]) -> str:
    """The text with what `replacement` makes of each address in it, which it is given as people write it."""
    if not may_hold(text):
        return text
    return _ADDRESS.sub(lambda found: replacement(_plain(found[0])) if found["address"] else found[0], text)


def _plain(address: str) -> str:
    """Without percent-encoding."""
    for _ in range(_MAX_LAYERS):
        if "%" not in address:
            break
        address = unquote(address)
    return address
