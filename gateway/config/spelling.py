"""What somebody may have meant by a word that is none of those there are."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHORTEST_BEGINNING = 3


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "..."?` where one of the known words is near, or begins like it; else empty."""
    words = sorted(known)
    longer = [each for each in words if each.startswith(word) and len(word) >= _SHORTEST_BEGINNING]
    near = get_close_matches(word, words, n=1) or longer[:1]
    return f'; did you mean "{near[0]}"?' if near else ""
