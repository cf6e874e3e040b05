"""What somebody asks is not tried again, and no error says so."""

import pytest

from gateway.model.errors import WarehouseError
from gateway.warehouses.servers.once import asked_once


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        ("it is tried again; see the page", "see the page"),
        ("check the url; it is tried again", "check the url"),
        ("it is tried again", ""),
        ("grant it", "grant it"),
    ],
)
def test_a_hint_says_only_what_to_do(hint: str, told: str):
    with pytest.raises(WarehouseError) as raised, asked_once():
        raise WarehouseError("no", hint=hint)

    assert (raised.value.message, raised.value.hint) == ("no", told)
