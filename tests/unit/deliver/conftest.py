"""Events in the shapes in which they travel through delivery."""

from collections.abc import Callable

import pytest

from gateway.deliver.lanes import Item
from gateway.destinations.contract import Payload
from gateway.model.envelope import Envelope, Stored

MakeItem = Callable[..., Item]


@pytest.fixture(scope="session")
def make_item() -> MakeItem:
    """An event of `person`, ready to be sent."""

    def make(
        offset: int,
        person: str = "ada",
        key: str = "",
        body: bytes = b"{}",
        received_at_ms: int = 0,
        read_at_s: float = 0,
    ) -> Item:
        stored = Stored(offset, b"raw", Envelope("web", received_at_ms))
        return Item(stored, person, Payload(f"m{offset}", body, key), read_at_s)

    return make
