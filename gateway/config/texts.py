"""Texts of a certain form, with the words for whoever writes another."""

import re
from typing import Annotated

from pydantic import AfterValidator, WrapValidator


def like(pattern: str, expected: str) -> AfterValidator:
    """Takes texts that the whole `pattern` fits; others are told what is `expected`, best with an example."""
    form = re.compile(pattern, re.ASCII)

    def checked(value: str) -> str:
        if not form.fullmatch(value):
            raise ValueError(expected)
        return value

    return AfterValidator(checked)


OR_EMPTY = WrapValidator(lambda value, checked: "" if value == "" else checked(value))
"""After a form: an empty text is taken as well."""
Name = Annotated[
    str,
    like(
        r"[a-z][a-z0-9_-]{0,62}",
        "a name has lower-case letters, digits, - and _, starts with a letter, and has at most 63 characters",
    ),
]
"""It becomes a metric label, and part of table names."""
Currency = Annotated[str, like(r"[A-Z]{3}", 'write three capital letters, as ISO 4217 has them, like "EUR"')]
Country = Annotated[str, like(r"[A-Z]{2}", 'write two capital letters, as ISO 3166 has them, like "DE"')]
AnyCountry = Annotated[Country, OR_EMPTY]
Digits = Annotated[str, like(r"[0-9]*", 'write digits in quotes, like "1234567"')]
"""A number that is a name; may be empty."""
