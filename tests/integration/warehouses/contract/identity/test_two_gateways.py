"""What the owner does to the graph by one gateway holds in the other, though each has some of it in memory."""

import pytest

from tests.integration.warehouses.support.store import OpenStore, Store


@pytest.fixture
async def stores(open_store: OpenStore) -> tuple[Store, Store]:
    """Each gateway reads a log of its own."""
    one, other = [await open_store(identity={"max_links_an_hour": 3}) for _ in range(2)]
    other.log_id = "other"
    return one, other


async def test_what_one_has_forgotten_the_other_may_learn_anew(stores: tuple[Store, Store]):
    one, other = stores
    said = {"anonymousId": "d1", "userId": "ann", "traits": {"email": "ann@shop.example"}}
    await other.load(other.event("identify", messageId="before", **said))
    person = await one.warehouse.find_person("ann")
    assert person is not None
    await one.warehouse.forget(person)
    assert await other.warehouse.find_person("ann") is None

    await other.load(other.event("identify", messageId="after", **said), other.event("page", anonymousId="d1"))

    known = await one.warehouse.find_person("ann@shop.example")
    assert known is not None
    assert known.user_ids == {"ann"}
    assert await one.one("select count(distinct person_id) from person_events") == 1
    assert (await one.warehouse.rebuild_identity())["differences"] == 0


async def test_a_link_that_one_has_taken_back_stays_so_in_the_other(stores: tuple[Store, Store]):
    one, other = stores
    await other.load(
        other.event("identify", anonymousId="d1", userId="ann"),
        other.event("identify", anonymousId="d2", userId="bob"),
        other.event("alias", anonymousId="d2", userId="bob", previousId="ann"),
    )
    await one.warehouse.unmerge("ann", "bob")

    await other.load(other.event("alias", anonymousId="d2", userId="bob", previousId="ann", messageId="again"))
    await other.load(other.event("identify", anonymousId="d3", userId="ann"))

    said = await other.rows("select refused from identity_edges where message_id = 'again' and cause = 'alias'")
    assert {refused for (refused,) in said} == {"undone"}
    assert await other.one("select count(distinct person_id) from person_events where type <> 'alias'") == 2
    assert (await one.warehouse.rebuild_identity())["differences"] == 0


async def test_what_one_has_frozen_links_nothing_in_the_other(stores: tuple[Store, Store]):
    one, other = stores
    await other.load(other.event("page"))
    await one.load(*(one.event("identify", anonymousId=f"d{n}", userId="admin") for n in range(6)))

    await other.load(
        *(other.event("identify", anonymousId=f"e{n}", userId="admin", messageId=f"e{n}") for n in range(3))
    )

    assert await other.rows("select identifier from identity_frozen") == [("admin",)]
    assert await other.one("select count(*) from identities where owner = 'admin'") == 3
