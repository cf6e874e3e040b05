"""What is stored of whom: consent and the browser's own signals, judged on what has arrived."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.digest import Digest
from gateway.collect.privacy import enforce_consent
from gateway.govern import ConsentRules

OPT_OUT = ConsentRules(is_required=False, honours_gpc=True, honours_dnt=False)
OPT_IN = ConsentRules(is_required=True, honours_gpc=True, honours_dnt=False)
DEAF = ConsentRules(is_required=False, honours_gpc=False, honours_dnt=False)
OBEDIENT = ConsentRules(is_required=False, honours_gpc=True, honours_dnt=True)
GPC, DNT = {"Sec-GPC": "1"}, {"DNT": "1"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def enforce(raws: list[bytes], rules: ConsentRules, headers: dict[str, str] | None = None) -> tuple[Digest, str]:
    ids = [str(number) for number in range(len(raws))]
    result = Digest("k", None, ids, raws, [], 0, 0, is_batch=True)
    return enforce_consent(result, rules, SimpleNamespace(header=(headers or {}).get))  # type: ignore[arg-type]  # as much of a request as is looked at


def said(preferences: Any) -> bytes:
    """An event with these `categoryPreferences`."""
    return json.dumps({"type": "page", "context": {"consent": {"categoryPreferences": preferences}}}).encode()


SILENT = b'{"type":"page","context":{"page":{"path":"/consent"}}}'
MALFORMED = [
    b'{"type":"page"}',
    b'{"type":"page","context":null}',
    b'{"type":"page","context":{"consent":null}}',
    b'{"type":"page","context":{"consent":{"categoryPreferences":null}}}',
    b'{"type":"page","context":{"consent":true}}',
    b'{"type":"page","context":{"consent":{"categoryPreferences":["analytics"]}}}',
    b'{"type":"page","context":{"consent":{"categoryPreferences":"analytics"}}}',
    b'{"type":"page","properties":{"consent":{"categoryPreferences":{"analytics":true}}}}',
    b'{"type":"page","consent":{"categoryPreferences":{"analytics":true}}}',
]


def test_what_a_visitor_refuses_is_not_stored_and_the_rest_of_the_batch_is():
    raws = [said({"analytics": True}), said({"analytics": False}), SILENT]

    kept, reason = enforce(raws, OPT_OUT)

    assert (kept.raws, kept.message_ids) == ([raws[0], raws[2]], ["0", "2"])
    assert (reason, kept.is_refused) == ("consent", True)


def test_where_consent_is_required_silence_is_no_consent():
    raws = [said({"analytics": True}), said({"analytics": False}), said({}), SILENT]

    kept, reason = enforce(raws, OPT_IN)

    assert (kept.raws, kept.message_ids) == (raws[:1], ["0"])
    assert (reason, kept.is_refused) == ("consent", True)


@pytest.mark.parametrize("raw", MALFORMED)
def test_what_is_no_consent_is_silence(raw: bytes):
    assert enforce([raw], OPT_IN)[0].raws == []
    assert enforce([raw], OPT_OUT)[0].raws == [raw]


@pytest.mark.parametrize("beside", ['"n":1e999', f'"n":{"9" * 5000}', '"n":{"analytics":true}', '"n":[[[]]]'])
def test_a_refusal_is_heard_whatever_stands_beside_it(beside: str):
    raw = f'{{"context":{{"consent":{{"categoryPreferences":{{"analytics":false,{beside}}}}}}}}}'.encode()

    assert enforce([raw], OPT_OUT)[0].raws == []


@pytest.mark.parametrize("word", ["denied", "false", "no", 0])
@pytest.mark.parametrize("category", ["analytics", "Analytics"])
def test_the_words_that_refuse_a_destination_refuse_the_intake(category: str, word: object):
    assert enforce([said({category: word})], OPT_OUT)[0].raws == []


def test_the_words_that_agree_to_a_destination_agree_to_the_intake():
    raws = [said({"analytics": word}) for word in ("granted", "true", "yes", 1)]

    assert enforce([*raws, said({"analytics": "perhaps"})], OPT_IN)[0].raws == raws


@pytest.mark.parametrize("rules", [OPT_OUT, OPT_IN, DEAF, OBEDIENT])
def test_what_may_be_stored_is_stored_as_it_came(rules: ConsentRules):
    raw = b'{ "type":"page", "context":{"consent":{"categoryPreferences":{"analytics":true}}} }'

    kept, reason = enforce([raw], rules)

    assert (kept.raws, reason, kept.is_refused) == ([raw], "", False)


@pytest.mark.parametrize(("headers", "rules"), [({}, OPT_OUT), ({"Sec-GPC": "0"}, OPT_OUT), (GPC, DEAF)])
def test_nothing_is_marked_unless_the_browser_and_the_owner_say_so(headers: dict[str, str], rules: ConsentRules):
    assert enforce([SILENT], rules, headers)[0].raws == [SILENT]


@pytest.mark.parametrize("marketing", [{}, {"marketing": True}, {"marketing": 0}])
def test_global_privacy_control_overrules_what_the_page_says_of_marketing(marketing: dict[str, Any]):
    kept, reason = enforce([said({"analytics": True, "own": "x", **marketing})], OPT_IN, GPC)

    assert json.loads(kept.raws[0])["context"]["consent"]["categoryPreferences"] == {
        "analytics": True,
        "own": "x",
        "marketing": False,
    }
    assert reason == ""


def test_an_event_that_says_it_already_is_left_alone():
    raw = said({"marketing": False}) + b" "

    assert enforce([raw], OPT_OUT, GPC)[0].raws == [raw]


@pytest.mark.parametrize("raw", MALFORMED)
def test_the_mark_is_made_whatever_stands_in_its_place(raw: bytes):
    (marked,) = enforce([raw], OPT_OUT, GPC)[0].raws

    before, after = json.loads(raw), json.loads(marked)
    assert after["context"]["consent"]["categoryPreferences"] == {"marketing": False}
    assert {**before, "context": None} == {**after, "context": None}


@given(JSON, JSON, JSON)
def test_the_mark_changes_nothing_else(properties: Any, context: Any, preference: Any):
    event = {
        "type": "track",
        "properties": properties,
        "context": {"other": context, "consent": {"other": context, "categoryPreferences": {"own": preference}}},
    }
    raw = json.dumps(event, ensure_ascii=False).encode(errors="replace")
    expected = json.loads(raw)
    expected["context"]["consent"]["categoryPreferences"]["marketing"] = False

    (marked,) = enforce([raw], OPT_OUT, GPC)[0].raws

    assert json.loads(marked) == expected


@pytest.mark.parametrize("number", ["1.10", "1E2", "-0.0", "12345678901234567890123", "0.1000000000000000055511151"])
def test_numbers_keep_the_text_they_came_in(number: str):
    raw = (
        f'{{"properties":{{"price":{number}}},"context":{{"n":{number},'
        f'"consent":{{"n":{number},"categoryPreferences":{{"n":{number}}}}}}}}}'
    ).encode()

    (marked,) = enforce([raw], OPT_OUT, GPC)[0].raws

    assert marked == raw.replace(b"}}}}", b',"marketing":false}}}}')


def test_do_not_track_keeps_everything_from_being_stored_where_the_owner_says_so():
    raws = [said({"analytics": True}), SILENT]

    kept, reason = enforce(raws, OBEDIENT, DNT)

    assert (kept.raws, kept.message_ids, reason) == ([], [], "dnt")
    assert enforce(raws, OPT_OUT, DNT)[0].raws == raws
    assert enforce(raws, OBEDIENT, {"DNT": "0"})[0].raws == raws


def test_a_request_without_events_withholds_none_but_do_not_track_is_heard():
    assert enforce([], OPT_IN)[1] == enforce([], OBEDIENT, DNT)[1] == ""
    assert not enforce([], OPT_IN)[0].is_refused
    assert enforce([], OBEDIENT, DNT)[0].is_refused


@given(st.lists(st.builds(said, JSON), max_size=5), st.sampled_from([OPT_OUT, OPT_IN, OBEDIENT]), st.booleans())
def test_ids_and_events_stay_in_step(raws: list[bytes], rules: ConsentRules, opts_out: bool):
    kept, reason = enforce(raws, rules, GPC if opts_out else {})

    assert len(kept.message_ids) == len(kept.raws)
    assert bool(reason) == kept.is_refused == (len(kept.raws) < len(raws))
