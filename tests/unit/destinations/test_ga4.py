"""Google Analytics 4: whose event it is, which session, what consent, and which events share a request."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.ga4 import GA4, Ga4Settings
from gateway.destinations.http_messages import Request
from tests.vendors.events import ORDER, TRAITS, event, seen, tour
from tests.vendors.ga4 import Ga4, violations
from tests.vendors.generated import EVENTS
from tests.vendors.simulator import Received

WEB = Ga4Settings(measurement_id="G-ABC123", api_secret="s3cret")
APP = Ga4Settings(firebase_app_id="1:23:ios:4ab", api_secret="s3cret")
INSTANCE = "0123456789abcdef0123456789abcdef"


def mapped(raw: dict[str, Any], chosen: Ga4Settings = WEB) -> Message:
    (message,) = GA4.map(seen(raw), chosen)
    return message


def shared(raw: dict[str, Any], chosen: Ga4Settings = WEB) -> dict[str, Any]:
    return json.loads(mapped(raw, chosen).key)


def params(raw: dict[str, Any], chosen: Ga4Settings = WEB) -> dict[str, Any]:
    return mapped(raw, chosen).body["params"]


def track(name: str = "Level Reached", **fields: Any) -> dict[str, Any]:
    return {**event(1, event=name, properties={}, context={}), **fields}


def cookies(**values: str) -> dict[str, Any]:
    return {"cookies": values}


def options(**values: Any) -> dict[str, Any]:
    return {"Google Analytics 4": values}


def request_of(*messages: Message, chosen: Ga4Settings = WEB) -> Request:
    payloads = [Payload("m", orjson.dumps(each.body), each.key) for each in messages]
    return GA4.request(payloads, chosen, Sending(0))


def received(request: Request) -> Received:
    query = dict(pair.split("=", 1) for pair in request.url.partition("?")[2].split("&"))
    return Received(request.method, "/mp/collect", query, {}, request.body)


class TestClient:
    def test_the_senders_word_goes_first(self):
        said = track(integrations=options(clientId="1.2"), context=cookies(_ga="GA1.1.3.4"))

        assert shared(said)["client_id"] == "1.2"

    def test_an_external_id_of_its_own_type_is_next(self):
        said = track(context={"externalId": [{"type": "ga4ClientId", "id": "1.2"}], **cookies(_ga="GA1.1.3.4")})

        assert shared(said)["client_id"] == "1.2"

    @pytest.mark.parametrize("value", ["GA1.1.111.222", "GA1.2.111.222", "GA1.2-2.111.222"])
    def test_then_the_two_last_parts_of_gtags_cookie(self, value: str):
        assert shared(track(context=cookies(_ga=value)))["client_id"] == "111.222"

    @pytest.mark.parametrize("value", ["", "111.222", "GA1.1.x.y", "GA1.1.111", "junk"])
    def test_a_cookie_that_cannot_be_read_is_none(self, value: str):
        assert shared(track(context=cookies(_ga=value)))["client_id"] == "visitor-1"

    def test_last_a_hash_of_the_user(self):
        """printf %s user-1 | sha256sum."""
        said = shared(track(anonymousId=None))

        assert said["client_id"] == "c6c289e49e9c05b2145860387b73bcb18df43fb09a1e4a4a9713c76c88bb541b"

    def test_without_any_id_the_event_is_refused_in_words(self):
        with pytest.raises(ValueError, match="there is no client_id"):
            mapped(track(anonymousId=None, userId=None))


class TestApp:
    @pytest.mark.parametrize(
        "fields",
        [
            {"integrations": options(appInstanceId=INSTANCE)},
            {"context": {"externalId": [{"type": "ga4AppInstanceId", "id": INSTANCE}]}},
            {"anonymousId": INSTANCE},
        ],
    )
    def test_an_app_stream_knows_the_apps_installation_instead_of_a_client(self, fields: dict[str, Any]):
        said = shared(track(**fields), APP)

        assert said["app_instance_id"] == INSTANCE
        assert "client_id" not in said

    def test_an_event_of_no_installation_is_refused_in_words(self):
        with pytest.raises(ValueError, match="app_instance_id of the Firebase SDK"):
            mapped(track(), APP)

    def test_the_device_is_told_because_google_reads_no_user_agent_of_an_app(self):
        said = track(anonymousId=INSTANCE, context={"userAgent": "Shop/1", "os": {"name": "iOS"}})

        assert shared(said, APP)["device"] == {"operating_system": "iOS"}
        assert "user_agent" not in shared(said, APP)


class TestSession:
    @pytest.mark.parametrize(
        ("cookie", "session"),
        [
            ("GS1.1.1700000000.3.1.1700000100.0.0.0", ("1700000000", 3)),
            ("GS1.1.1700000000.3", ("1700000000", 3)),
            ("GS2.1.s1700000000$o3$g1$t1700000100$j60$l0$h0", ("1700000000", 3)),
            ("GS2.2-2.s1700000000$o12", ("1700000000", 12)),
            ("GS2.1.o3$s1700000000", ("1700000000", 3)),
            ("GS2.1.s1700000000", ("1700000000", None)),
        ],
    )
    def test_it_is_that_of_gtags_cookie_for_the_stream(self, cookie: str, session: tuple[str, int | None]):
        said = params(track(context={**cookies(_ga_ABC123=cookie), "sessionId": "5", "sessionCount": 9}))

        assert (said["session_id"], said.get("session_number")) == session

    @pytest.mark.parametrize("cookie", ["", "GS2.1.", "GS2.1.sabc$o1", "GS1.1.x.y", "GS3.1.5.6"])
    def test_a_cookie_that_cannot_be_read_is_none(self, cookie: str):
        said = params(track(context={**cookies(_ga_ABC123=cookie), "sessionId": 5, "sessionCount": 9}))

        assert (said["session_id"], said["session_number"]) == ("5", 9)

    def test_the_cookie_of_another_stream_is_another_session(self):
        assert params(track(context=cookies(_ga_OTHER="GS1.1.1700000000.3")))["session_id"] != "1700000000"

    def test_the_senders_word_goes_before_the_cookie(self):
        said = track(
            context=cookies(_ga_ABC123="GS1.1.1700000000.3"), integrations=options(session_id="7", session_number="2")
        )

        assert params(said)["session_id"] == "7"
        assert params(said)["session_number"] == 2

    def test_what_is_not_digits_becomes_a_number_that_is_the_same_for_the_session(self):
        first, again = (params(track(context={"sessionId": "0192f0c1"}))["session_id"] for _ in range(2))

        assert first == again
        assert first.isdigit()
        assert len(first) <= 10

    def test_without_a_session_the_visitors_day_is_one(self):
        moments = [("25T08", "a1"), ("25T11", "a1"), ("24T08", "a1"), ("25T08", "a2")]
        told = [params(track(timestamp=f"2026-11-{at}:00:00Z", anonymousId=who)) for at, who in moments]

        morning, evening, day_before, somebody_else = (each["session_id"] for each in told)
        assert (morning, len({morning, day_before, somebody_else})) == (evening, 3)

    @pytest.mark.parametrize(
        ("properties", "engaged"),
        [({}, 1), ({"engagement_time_msec": 250}, 250), ({"engaged_ms": 4000.4}, 4000), ({"engaged_ms": -5}, 1)],
    )
    def test_the_time_of_engagement_is_always_told(self, properties: dict[str, Any], engaged: int):
        assert params(track("Page Engagement", properties=properties))["engagement_time_msec"] == engaged

    def test_what_the_properties_say_of_the_session_does_not_stand_beside_it(self):
        said = track(properties={"ga_session_id": 9, "session_id": 8}, context={"sessionId": 7})

        assert params(said) == {"session_id": "7", "engagement_time_msec": 1}


class TestPerson:
    def test_traits_become_user_properties_without_what_says_who_it_is(self):
        said = track(context={"traits": {**TRAITS, "plan": "pro", "Last_Name": "L", "contact": "a@b.example"}})

        assert shared(said)["user_properties"] == {"plan": {"value": "pro"}}
        assert mapped(said).repairs == ("email_left_out",)

    def test_the_owner_says_which_traits_are_personal(self):
        chosen = WEB.model_copy(update={"personal_traits": ("plan",)})
        said = track(context={"traits": {"plan": "pro", "name": "Ada"}})

        assert shared(said, chosen)["user_properties"] == {"name": {"value": "Ada"}}

    @pytest.mark.parametrize("user_id", ["u" * 257, "ada@example.com"])
    def test_a_user_id_that_google_may_not_have_is_left_out(self, user_id: str):
        said = track(userId=user_id)

        assert "user_id" not in shared(said)
        assert mapped(said).repairs == ("user_id_left_out",)

    def test_an_identify_has_no_counterpart_unless_the_owner_names_one(self):
        raw = event(1, type="identify", traits={"plan": "pro"})

        assert GA4.map(seen(raw), WEB) == []
        assert mapped(raw, WEB.model_copy(update={"identify_event": "login"})).body["name"] == "login"


class TestConsent:
    @pytest.mark.parametrize(
        ("consent", "told"),
        [
            ({}, None),
            ({"categoryPreferences": {"analytics": True}}, None),
            ({"categoryPreferences": {"marketing": True}}, ("GRANTED", "GRANTED")),
            ({"categoryPreferences": {"marketing": False}}, ("DENIED", "DENIED")),
            ({"categoryPreferences": {"marketing": False, "ad_user_data": True}}, ("GRANTED", "DENIED")),
            ({"ad_user_data": "granted", "ad_personalization": "denied"}, ("GRANTED", "DENIED")),
            ({"ad_user_data": "GRANTED"}, ("GRANTED", None)),
        ],
    )
    def test_googles_own_words_go_before_the_sites_categories(
        self, consent: dict[str, Any], told: tuple[str | None, str | None] | None
    ):
        said = shared(track(context={"consent": consent})).get("consent")

        assert (said and (said.get("ad_user_data"), said.get("ad_personalization"))) == told

    def test_the_categories_are_the_owners(self):
        chosen = WEB.model_copy(update={"ad_user_data": ("ads", "sharing"), "ad_personalization": ()})

        def told(**preferences: bool) -> Any:
            return shared(track(context={"consent": {"categoryPreferences": preferences}}), chosen).get("consent")

        assert told(ads=True) is None
        assert told(ads=True, sharing=True) == {"ad_user_data": "GRANTED"}
        assert told(ads=True, sharing=False) == {"ad_user_data": "DENIED"}

    def test_who_refuses_personal_ads_gets_none(self):
        denied = track(context={"consent": {"ad_personalization": "denied"}})
        said = track(context={"ga4": {"non_personalized_ads": True}})

        assert shared(denied)["non_personalized_ads"] is True
        assert shared(said)["non_personalized_ads"] is True
        assert "non_personalized_ads" not in shared(track())


class TestPlace:
    def test_the_place_is_told_where_it_is_known_and_the_address_otherwise(self):
        known = track(context={"location": {"country": "us", "region": "CA", "city": "Los Angeles"}})

        assert shared(known)["user_location"] == {"city": "Los Angeles", "region_id": "US-CA", "country_id": "US"}
        assert "ip_override" not in shared(known)
        assert shared(track())["ip_override"] == "203.0.113.9"

    def test_a_region_by_its_name_is_left_out(self):
        said = track(context={"location": {"country": "US", "region": "California"}})

        assert shared(said)["user_location"] == {"country_id": "US"}

    def test_the_owner_can_keep_addresses_to_himself(self):
        assert "ip_override" not in shared(track(), WEB.model_copy(update={"ip": False}))


class TestEvents:
    def test_the_owner_names_events_also_those_of_the_spec(self):
        chosen = WEB.model_copy(update={"events": {"Trial Started": "start_trial", "Signed Up": "registered"}})

        assert mapped(track("Trial Started"), chosen).body["name"] == "start_trial"
        assert mapped(track("Signed Up"), chosen).body["name"] == "registered"

    def test_an_event_in_ga4s_own_words_stays_as_it_is(self):
        said = {"transaction_id": "t1", "value": 3, "currency": "EUR", "items": [{"item_id": "a", "price": 3}]}

        message = mapped(track("purchase", properties=said))

        assert message.body["name"] == "purchase"
        assert message.body["params"].items() >= {"engagement_time_msec": 1, **said}.items()
        assert message.repairs == ()

    def test_any_events_list_of_products_becomes_items(self):
        said = track("Cart Abandoned", properties={"products": [{"product_id": "a"}]})

        assert params(said)["items"] == [{"item_id": "a"}]

    @pytest.mark.parametrize(
        ("properties", "value"),
        [
            ({"value": 1, "revenue": 2, "total": 3}, 1),
            ({"revenue": 2, "total": 3}, 2),
            ({"total": 3, "products": [{"product_id": "a", "price": 2.5, "quantity": 2}]}, 5),
            ({"total": 3, "products": [{"product_id": "a"}]}, 3),
        ],
    )
    def test_the_value_is_without_shipping_and_tax_where_that_is_known(self, properties: dict[str, Any], value: float):
        assert params(track("Order Completed", properties={"currency": "EUR", **properties}))["value"] == value

    def test_a_purchase_without_an_order_is_known_again_by_its_message(self):
        assert params(track("Order Completed"))["transaction_id"] == "msg-000001"

    def test_a_refund_without_an_order_is_refused_in_words(self):
        with pytest.raises(ValueError, match="a refund needs an order_id"):
            mapped(track("Order Refunded"))

    def test_a_category_with_levels_becomes_several(self):
        products = [{"product_id": "a", "category": "a / b/c//d/e/f"}]

        (item,) = params(track("Cart Viewed", properties={"products": products}))["items"]

        assert [item[f"item_category{n}"] for n in ("", 2, 3, 4, 5)] == ["a", "b", "c", "d", "e"]

    def test_an_event_from_the_future_happened_when_it_was_received(self):
        assert mapped(track(timestamp="2026-11-25T15:00:00Z")).body["timestamp_micros"] == 1_795_608_000_000_000


class TestRequests:
    def test_events_of_one_client_share_a_request(self):
        first, second = mapped(track()), mapped(track("Level Left"))

        body = json.loads(request_of(first, second).body)

        assert first.key == second.key
        assert body["client_id"] == "visitor-1"
        assert [each["name"] for each in body["events"]] == ["Level_Reached", "Level_Left"]

    @pytest.mark.parametrize(
        "other",
        [
            {"userId": "user-2"},
            {"anonymousId": "visitor-2"},
            {"context": {"traits": {"plan": "pro"}}},
            {"context": {"consent": {"ad_user_data": "denied"}}},
            {"context": {"ip": "203.0.113.10"}},
            {"context": {"userAgent": "B/2"}},
        ],
    )
    def test_whatever_a_request_says_of_all_its_events_keeps_others_out(self, other: dict[str, Any]):
        assert mapped(track()).key != mapped(track(**other)).key

    def test_the_order_of_traits_keeps_nobody_out(self):
        first = track(context={"traits": {"plan": "pro", "seats": 5}})
        second = track(context={"traits": {"seats": 5, "plan": "pro"}})

        assert mapped(first).key == mapped(second).key

    def test_the_secret_is_in_the_query_and_the_colons_of_an_app_stay(self):
        message = mapped(track(anonymousId=INSTANCE), APP)

        url = request_of(message, chosen=APP).url

        assert url == "https://www.google-analytics.com/mp/collect?firebase_app_id=1:23:ios:4ab&api_secret=s3cret"

    def test_the_limits_are_the_protocols(self):
        assert GA4.batch_events(WEB) == 25
        assert GA4.batch_bytes(WEB) < 130_000
        assert GA4.age_limit_s(WEB) == 72 * 3600

    def test_the_probe_asks_the_validation_server(self):
        for chosen in (WEB, APP):
            probe = GA4.probe(chosen)
            assert "/debug/mp/collect?" in probe.url
            assert not list(violations(received(probe)))

    def test_what_the_spec_has_breaks_no_rule_of_the_protocol(self):
        simulator = Ga4()
        for raw in tour():
            for message in GA4.map(seen(raw), WEB):
                simulator.answer(received(request_of(message)))

        assert simulator.wrong == []

    @settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(raw=EVENTS)
    def test_whatever_is_sent_breaks_no_rule_of_the_protocol(self, raw: dict[str, Any]):
        try:
            messages = GA4.map(seen(json.loads(json.dumps(raw))), WEB)
        except ValueError:
            return

        assert [each for message in messages for each in violations(received(request_of(message)))] == []

    def test_an_order_of_hundreds_of_products_is_cut_to_what_ga4_takes(self):
        products = [{"product_id": f"sku-{n}", "name": "n" * 100, "price": 1} for n in range(300)]

        message = mapped(track("Order Completed", properties={**ORDER, "products": products}))

        assert len(message.body["params"]["items"]) == 200
        assert message.repairs == ("items_dropped",)
        assert not list(violations(received(request_of(message))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"measurement_id": ""},
        {"firebase_app_id": "1:23:ios:4ab"},
        {"measurement_id": "UA-1-2"},
        {"measurement_id": "G-abc"},
        {"measurement_id": "", "firebase_app_id": "com.example.app"},
        {"currency": "euro"},
        {"base_url": "www.google-analytics.com"},
    ],
)
def test_a_setting_that_could_not_work_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        Ga4Settings.model_validate({"measurement_id": "G-ABC123", "api_secret": "s3cret", **wrong})
