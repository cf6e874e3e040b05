"""Whose events are whose, as an analyst reads it."""

from gateway.model.junk import is_junk
from tests.integration.warehouses.identity.town import Townsfolk, portions
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Event, OpenStore, Store

WORDS = ["NULL", " null\t", "0", "-1", "-10", "0-0", "00000000-0000-0000-0000-000000000000", "[object Object]"]
WORDS += ["x[object Object]y", "Anonymous", "test", " TEST ", "it's", "u1", "a" * 512, "a" * 513, "ä" * 512, "ä" * 513]
WORDS += [
    "\u00a0none\u2003",
    "ann@shop.example",
    "none of us",
    "-",
    "--",
    "\x1cnull\x1f",
    "\u200bnull",
    "\u0130",
    "True",
]
WORDS += ["false", "na", "N/A", "back\\slash", "\\'", "undefined\n", " ", "\U0001f600" * 500, "x\ty", "%", "_"]
LISTED = ("test", "it's", "back\\slash")


def at(store: Store, hour: int, kind: str, **fields: object) -> Event:
    return store.event(kind, timestamp=f"2025-11-24T{hour:02}:00:00Z", **fields)


async def people(store: Store) -> list[list[str]]:
    """The events' ids, those of one person together, in the order of the first."""
    together: dict[str, list[str]] = {}
    for id_, person_id in sorted(await store.rows("select id, person_id from person_events")):
        together.setdefault(person_id, []).append(id_)
    return list(together.values())


async def test_what_came_before_the_sign_up_is_the_users(store: Store):
    await store.load(at(store, 1, "page"), at(store, 2, "track"), at(store, 1, "page", anonymousId="another"))
    await store.load(at(store, 3, "identify", userId="ann"), at(store, 4, "track", anonymousId=None, userId="ann"))

    assert await people(store) == [["m0", "m1", "m3", "m4"], ["m2"]]
    rows = await store.rows("select events, user_id, is_known from persons")
    assert sorted(rows, key=str) == [(1, None, False), (4, "ann", True)]


async def test_a_shared_device_is_each_users_in_turn(store: Store):
    await store.load(at(store, 6, "page"), at(store, 3, "identify", userId="ann"), at(store, 1, "page"))
    await store.load(at(store, 5, "identify", userId="bob"), at(store, 4, "page"))

    assert await people(store) == [["m0", "m3"], ["m1", "m2", "m4"]]


async def test_an_alias_makes_one_of_two_and_a_late_one_too(store: Store):
    await store.load(at(store, 1, "identify", userId="ann"), at(store, 1, "identify", anonymousId="a2", userId="anna"))
    assert await people(store) == [["m0"], ["m1"]]

    await store.load(at(store, 2, "alias", anonymousId=None, userId="anna", previousId="ann"))

    assert await people(store) == [["m0", "m1", "m2"]]
    assert [row[0] for row in await store.rows("select kind from identity_merges")] == ["merge"]


async def test_an_address_joins_devices_whatever_its_spelling(store: Store):
    await store.load(at(store, 1, "identify", userId="ann", traits={"email": "Ann@Shop.example "}))
    await store.load(at(store, 2, "identify", anonymousId="a2", traits={"email": "ann@shop.example"}))

    assert await people(store) == [["m0", "m1"]]


async def test_persons_have_their_campaigns_and_latest_traits(store: Store):
    campaigns = [{"campaign": {"source": source}} for source in ("mail", "search")]
    await store.load(
        at(store, 3, "page", context=campaigns[1]),
        at(store, 1, "page", context=campaigns[0]),
        at(store, 4, "identify", userId="ann", traits={"plan": "pro", "events": 7}),
        at(store, 2, "identify", userId="ann", traits={"plan": "free", "city": "Bonn"}),
    )

    assert await store.rows(
        "select first_touch_source, last_touch_source, plan, city, trait_events, events from persons"
    ) == [("mail", "search", "pro", "Bonn", 7, 4)]


async def test_devices_have_owners_and_people_are_described(store: Store):
    await store.load(
        at(store, 1, "page"), at(store, 2, "identify", userId="ann"), at(store, 3, "identify", userId="bob")
    )

    owners = await store.warehouse.owners(["a1", "nobody's", "it's"])
    described = await store.warehouse.describe_person("bob", 1)

    assert {device: [tenure.owner.value for tenure in tenures] for device, tenures in owners.items()} == {
        "a1": ["ann", "bob"]
    }
    assert described is not None
    assert [event["id"] for event in described["timeline"]] == ["m2"]
    assert await store.warehouse.describe_person("nobody", 1) is None


async def test_the_views_and_the_model_agree_on_what_names_nobody(open_store: OpenStore):
    store = await open_store(identity={"blocklist": LISTED})
    await store.load(
        *(store.event("page", messageId=f"user {n}", anonymousId=None, userId=word) for n, word in enumerate(WORDS)),
        *(store.event("page", messageId=f"device {n}", anonymousId=word) for n, word in enumerate(WORDS)),
    )

    nobodys = {id_ for id_, person_id in await store.rows("select id, person_id from person_events") if not person_id}

    words = [number for number, word in enumerate(WORDS) if is_junk(word, LISTED)]
    assert nobodys == {f"{kind} {number}" for kind in ("user", "device") for number in words}
    assert (await store.warehouse.rebuild_identity())["differences"] == 0


async def test_people_with_odd_ids_are_found_and_forgotten(place: Place, store: Store):
    odd = [word for word in WORDS if not is_junk(word)]
    await store.load(*(store.event("identify", anonymousId=f"d{word}", userId=word) for word in odd))

    for word in odd:
        person = await store.warehouse.find_person(word)
        assert person is not None, word
        assert person.user_ids == {word}
        assert (await store.warehouse.forget(person))["identifies"] == 1

    assert await store.one("select count(*) from identifies") == 0
    assert await store.one("select count(*) from identities") == 0


async def test_a_town_is_known(store: Store):
    """Of its people no two are one person, and no one is two."""
    town = Townsfolk(seed=7).town(250)
    for portion in portions(town, 500):
        await store.load(*portion)

    answer = await store.warehouse.query("select id, person_id from person_events", 100_000, 60)
    found = dict(map(tuple, answer.rows))
    pairs = {(who, found[message_id]) for message_id, who in town.who.items()}
    assert len(found) == len(answer.rows) == len(town.who)
    assert len({who for who, _ in pairs}) == len({person for _, person in pairs}) == len(pairs)
    assert (await store.warehouse.rebuild_identity())["differences"] == 0


async def test_an_alias_chain_ends_at_the_cap_of_merges(open_store: OpenStore):
    store = await open_store(identity={"max_merges": 5})
    await store.load(
        *(store.event("alias", anonymousId=None, userId=f"u{n}", previousId=f"u{n + 1}") for n in range(20))
    )

    users = await store.rows("select person_id from identities where identifier_type = 'user_id'")
    assert max(users.count(person) for person in users) == 6
    assert await store.one("select count(*) from identity_edges where refused = 'merge_cap'") > 0


async def test_a_person_gains_no_more_devices_than_the_cap(open_store: OpenStore):
    store = await open_store(identity={"max_identifiers": 10})
    devices = [store.event("identify", anonymousId=f"kiosk-{n}", userId="ann") for n in range(20)]
    await store.load(*devices[:8])
    await store.load(*devices[8:])

    [(ann,)] = await store.rows("select person_id from identities where identifier = 'ann'")
    assert await store.one(f"select count(*) from identities where person_id = '{ann}'") == 10
    assert await store.one("select count(*) from identity_edges where refused = 'identifier_cap'") == 11


async def test_where_it_is_switched_off_nobody_is_linked(open_store: OpenStore):
    store = await open_store(identity={"enabled": False})
    await store.load(store.event("page"), store.event("identify", userId="ann"))

    assert await people(store) == [["m0"], ["m1"]]
    assert await store.one("select count(*) from identity_edges") == 0
