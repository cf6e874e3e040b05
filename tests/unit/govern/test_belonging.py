"""Whose an event is: by user, by device and time, by a strong identifier; and never another's."""

from typing import Any

import orjson
import pytest

from gateway.govern import Belonging, of_bare_value, together
from gateway.model.envelope import Envelope
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier, Known, Tenure

SECOND_US = 1_000_000
ADA = Known(
    "p",
    frozenset(["ada", "Ädä"]),
    [
        Tenure("whole", Identifier(USER_ID, "ada")),
        Tenure("part", Identifier(USER_ID, "ada"), 2_000 * SECOND_US, 3_000 * SECOND_US),
        Tenure("part", Identifier(USER_ID, "ada"), 5_000 * SECOND_US, None),
    ],
    [Identifier("email", "ada@shop.example")],
)
ENVELOPE = Envelope("web", 10_000_000)


def at(second: int) -> str:
    return f"1970-01-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


@pytest.mark.parametrize(
    ("event", "is_hers"),
    [
        ({"userId": "ada"}, True),
        ({"userId": "Ädä"}, True),
        ({"userId": "ADA"}, False),
        ({"userId": "ben", "anonymousId": "whole"}, False),
        ({"userId": "ben", "traits": {"email": "ada@shop.example"}}, False),
        ({"userId": "null", "anonymousId": "whole"}, True),
        ({"userId": "", "anonymousId": "whole"}, True),
        ({"anonymousId": "whole"}, True),
        ({"anonymousId": "other"}, False),
        ({"anonymousId": "ada"}, False),
        ({"anonymousId": "part", "timestamp": at(1_999)}, False),
        ({"anonymousId": "part", "timestamp": at(2_000)}, True),
        ({"anonymousId": "part", "timestamp": at(2_999)}, True),
        ({"anonymousId": "part", "timestamp": at(3_000)}, False),
        ({"anonymousId": "part", "timestamp": at(5_000)}, True),
        ({"anonymousId": "part"}, True),  # as it was received
        ({"anonymousId": "new", "traits": {"email": " Ada@Shop.example "}}, True),
        ({"anonymousId": "new", "context": {"traits": {"email": "ada@shop.example"}}}, True),
        ({"anonymousId": "new", "traits": {"phone": "ada@shop.example"}}, False),
        ({"anonymousId": "new", "properties": {"email": "ada@shop.example"}}, False),
        ({"anonymousId": "new", "traits": ["ada@shop.example"], "context": "ada"}, False),
        ({"type": "alias", "userId": "ben", "previousId": "ada"}, True),
        ({"userId": ["ada"], "anonymousId": {"ada": 1}}, False),
    ],
)
@pytest.mark.parametrize("noise", [{}, {"note": 'a "quoted" ada \\ ada@shop.example'}, {"number": 1}])
def test_an_event_is_the_persons_by_the_rules_of_the_warehouse(
    event: dict[str, Any], is_hers: bool, noise: dict[str, Any]
):
    assert Belonging(ADA)(orjson.dumps(event | noise), ENVELOPE) is is_hers


@pytest.mark.parametrize(
    ("raw", "is_hers"),
    [
        (b'{"userId":"\\u0061da"}', True),
        (b'{"userId":"ada","n":123456789012345678901234567890}', True),
        (b'{"userId":"ada","n":1e999}', True),
        (b'["ada"]', False),
        (b"ada is no JSON", False),
        (b"", False),
    ],
)
def test_odd_bytes_are_read_as_well_as_they_can_be(raw: bytes, is_hers: bool):
    assert Belonging(Known("p", frozenset(["ada"]), []))(raw, ENVELOPE) is is_hers


@pytest.mark.parametrize(
    ("event", "is_theirs"),
    [
        ({"userId": "x@y.example"}, True),
        ({"anonymousId": "x@y.example"}, True),
        ({"traits": {"mail": "X@y.example"}}, True),
        ({"userId": "ben", "traits": {"mail": "x@y.example"}}, False),
        ({"properties": {"mail": "x@y.example"}}, False),
    ],
)
def test_a_bare_value_is_taken_for_each_type_of_identifier(event: dict[str, Any], is_theirs: bool):
    assert Belonging(of_bare_value("x@y.example"))(orjson.dumps(event), ENVELOPE) is is_theirs


def test_what_warehouses_know_adds_up():
    device = Tenure("d", Identifier(ANONYMOUS_ID, "d"))
    one = Known("p1", frozenset(["a"]), [device], [Identifier("email", "e")])
    two = Known("p2", frozenset(["b"]), [device], [Identifier("email", "e"), Identifier("phone", "f")])

    both = together([one, two])

    assert both.user_ids == {"a", "b"}
    assert both.tenures == [device]
    assert both.others == [Identifier("email", "e"), Identifier("phone", "f")]
