"""The write key is public: ids that everybody seems to have, and floods of invented ones, merge nobody."""

import pytest

from tests.integration.warehouses.support.store import Event, OpenStore, Store


async def real_people(store: Store) -> list[tuple[str, str]]:
    """Twenty people with two devices each, and who they are."""
    await store.load(
        *(
            store.event("identify", anonymousId=f"home-{number}-{device}", userId=f"real-{number}")
            for number in range(20)
            for device in range(2)
        )
    )
    return await persons(store)


async def persons(store: Store) -> list[tuple[str, str]]:
    return await store.rows(
        "select identifier, person_id from identities where identifier like 'real-%' or identifier like 'home-%'"
        " order by identifier"
    )


def on_devices(store: Store, user: str, start: int, count: int) -> list[Event]:
    return [store.event("identify", anonymousId=f"kiosk-{n}", userId=user) for n in range(start, start + count)]


async def test_one_user_id_on_100_000_devices_is_frozen_and_merges_nobody(open_store: OpenStore):
    store = await open_store()
    before = await real_people(store)
    refused = 0
    for start in range(0, 100_000, 20_000):
        refused += (await store.load(*on_devices(store, "admin", start, 20_000))).identity["frozen"]
    await store.load(*(store.event("identify", anonymousId=f"home-{n}-0", userId="admin") for n in range(20)))
    await store.load(*(store.event("page", anonymousId=f"home-{n}-0") for n in range(20)))

    assert await persons(store) == before
    assert await store.rows("select identifier_type, identifier from identity_frozen") == [("user_id", "admin")]
    assert await store.one("select count(*) from identities where owner = 'admin'") == 100
    assert refused == 99_900
    assert await store.one("select count(*) from identity_edges where refused = 'frozen'") == 99_900 + 20
    right = "select count(*) from person_events e join identities i on i.identifier = e.anonymous_id"
    assert await store.one(f"{right} where e.type = 'page' and e.person_id = i.person_id") == 20


async def test_a_flood_of_invented_pairs_changes_nothing_for_real_people(open_store: OpenStore):
    store = await open_store()
    before = await real_people(store)
    for start in range(0, 50_000, 10_000):
        await store.load(
            *(store.event("identify", anonymousId=f"d{n}", userId=f"u{n}") for n in range(start, start + 10_000))
        )

    assert await persons(store) == before
    assert (
        await store.one("select count(*) from (select person_id from identities group by 1 having count(*) > 2)") == 20
    )
    assert await store.one("select count(distinct person_id) from identities") == 50_020


@pytest.mark.parametrize("device", ["kiosk", "home-0-0"])
async def test_a_device_on_which_everybody_signs_in_is_frozen_and_merges_nobody(open_store: OpenStore, device: str):
    store = await open_store()
    before = await real_people(store)
    await store.load(*(store.event("identify", anonymousId=device, userId=f"u{n}") for n in range(1_000)))

    assert await persons(store) == before
    assert await store.rows("select identifier_type, identifier from identity_frozen") == [("anonymous_id", device)]
    assert (
        await store.one(
            "select max(n) from (select count(distinct owner) as n from identity_spans group by anonymous_id)"
        )
        <= 101
    )
