"""Events as no client would send them, for hypothesis."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
near = st.timedeltas(timedelta(days=-2), timedelta(days=2)).map(
    lambda delta: datetime(2025, 11, 25, 5, tzinfo=UTC) + delta
)
edges = st.sampled_from([-86_400.001, -86_400, -60.001, -60, -59.999, 0, 59.999, 60, 60.001, 86_400, 86_400.001]).map(
    lambda seconds: datetime(2025, 11, 25, 5, tzinfo=UTC) + timedelta(seconds=seconds)
)
forms = st.sampled_from(
    [
        lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        lambda moment: moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
        lambda moment: moment.isoformat(timespec="microseconds"),
        lambda moment: moment.isoformat().replace("+00:00", "+02:00"),
        lambda moment: moment.isoformat().replace("+00:00", "-09:30"),
        lambda moment: moment.isoformat().replace("+00:00", ""),
        lambda moment: moment.isoformat(sep=" "),
        lambda moment: moment.date().isoformat(),
        lambda moment: moment.timestamp(),
        lambda moment: int(moment.timestamp() * 1000),
        lambda moment: str(int(moment.timestamp() * 1000)),
    ]
)
oddities = st.sampled_from(
    [
        *(
            "",
            "yesterday",
            "2024-02-30T00:00:00.000Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T23:59:60Z",
            "0000-01-01T00:00:00Z",
        ),
        *(
            "2024-01-01T00:00:00+25:00",
            "2024-01-01T00:00:00+05:99",
            "2024-01-01T00:00:00.1234567Z",
            "+024-01-01T00:00:00Z",
        ),
        *("-024-01-01T00:00:00Z", "2024-01-01T00:00:00.+05Z", "2024-01-01T1::00:00Z", "2024-W01-1", "20240101T000000Z"),
        *("9999-12-31T23:59:59-09:00", "0001-01-01T00:00:00+09:00", "2024-01-01T00:00:00z", "2024-01-01t00:00:00Z"),
        *(None, True, 0, -1, 5, 1e300, {}, [1], {"a": 1}),
    ]
)
usual = st.builds(lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"), near | edges)
TIMES = st.one_of(usual, st.builds(lambda form, moment: form(moment), forms, near | edges | moments), oddities)

TYPED = {"price": 1, "weight": 1.5, "paid": True, "name": "x", "when": "2026-11-25T12:00:00Z", "list": []}
"""Decides the types of these columns, so that the events differ from them."""
KEYS = st.sampled_from(list(TYPED)) | st.sampled_from(
    ["price", "Price", "product", "name", "id", "a b", "a_b", "€", "", "when", "x.y", 'q"uote', "it's", "$", "_"]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.integers(0, 9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    st.sampled_from(["2026-11-25T12:00:00.000Z", "2026-11-25T12:00:00+02:00", "5", "true", "1e5"]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)
NUMBERS = st.sampled_from(
    [0, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 1.0, 0.1, 1e300]
)
ODD_VALUES = NUMBERS | st.sampled_from([True, None, "", "5", "2026-11-25T12:00:00+02:00", "2026-02-30T12:00:00Z", [1]])
OBJECTS = st.builds(
    dict.__or__,
    st.dictionaries(KEYS, VALUES, max_size=3),
    st.dictionaries(st.sampled_from(list(TYPED)), ODD_VALUES, max_size=3),
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["track", "page", "identify", "group", "alias", "screen"]),
            "properties": OBJECTS,
            "traits": OBJECTS,
        },
        optional={
            "context": OBJECTS,
            "event": st.sampled_from(["A", "B c", "b_C", "tracks", "€"]),
            "name": st.text("ab", max_size=3),
        },
    ),
    min_size=1,
    max_size=12,
)


def tame(value: Any) -> Any:
    """The same structure with values that fit: what is seen first must not decide for what follows."""
    match value:
        case dict():
            return {key: inner if key in ("type", "event") else tame(inner) for key, inner in value.items()}
        case list():
            return [tame(inner) for inner in value]
        case bool() | None:
            return value
        case int():
            return 1 if value >= 0 else -1
        case float():
            return 1.5
        case _:
            return TYPED["when"]
