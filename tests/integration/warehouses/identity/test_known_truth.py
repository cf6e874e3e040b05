"""A town of 10,000 people whose truth is known: every event is attributed to who did it, and nobody else."""

from collections import defaultdict

from tests.integration.warehouses.identity.town import Townsfolk, portions
from tests.integration.warehouses.support.store import OpenStore


async def test_precision_and_recall_are_one(open_store: OpenStore):
    store = await open_store()
    town = Townsfolk(seed=7).town(10_000)
    for portion in portions(town, 5_000):
        await store.load(*portion)

    found = dict((await store.warehouse.query("select id, person_id from person_events", 1_000_000, 60)).rows)
    assert found.keys() == town.who.keys()
    people_of_person: dict[str | None, set[str | None]] = defaultdict(set)
    persons_of_people: dict[str | None, set[str | None]] = defaultdict(set)
    for message_id, who in town.who.items():
        people_of_person[found[message_id]].add(who)
        persons_of_people[who].add(found[message_id])
    assert [who for who in people_of_person.values() if len(who) > 1] == [], "precision: two people in one person"
    assert [who for who, persons in persons_of_people.items() if len(persons) > 1] == [], "recall: one in two persons"
    assert persons_of_people[None] == {None}
