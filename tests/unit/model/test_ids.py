"""Generated message ids."""

import random
import uuid

from gateway.model.ids import uuid7


def test_a_generated_id_is_a_version_7_uuid_that_carries_its_time():
    made = uuid.UUID(uuid7(1_795_608_000_000, random.Random(1)))

    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 1_795_608_000_000


def test_ids_sort_by_the_time_they_were_made():
    rng = random.Random(2)

    ids = [uuid7(now_ms, rng) for now_ms in range(1_000, 2_000, 10)]

    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
