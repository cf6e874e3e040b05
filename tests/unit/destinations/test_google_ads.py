"""Google Ads: what is a conversion, how a person is hashed, and what Google's answers mean for each conversion."""

import json
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Payload
from gateway.destinations.google_ads import GOOGLE_ADS, GoogleAdsSettings
from gateway.destinations.http_messages import Response
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import event, seen
from tests.vendors.google_ads import ACCOUNT, partial_failure

DATA_MANAGER = GoogleAdsSettings.model_validate(ACCOUNT)
UPLOADS = GoogleAdsSettings.model_validate({**ACCOUNT, "api": "google_ads"})
EMAIL = {"traits": {"email": "ada@example.com"}}
EMAIL_HASH = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"
"""printf %s ada@example.com | sha256sum."""


def order(name: str = "Order Completed", context: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    return event(1, event=name, properties={"order_id": "o-1", **properties}, context=context or EMAIL)


def told(raw: dict[str, Any], chosen: GoogleAdsSettings = DATA_MANAGER) -> dict[str, Any]:
    (message,) = GOOGLE_ADS.map(seen(raw), chosen)
    body: dict[str, Any] = message.body
    return body


def changed(chosen: GoogleAdsSettings, **values: Any) -> GoogleAdsSettings:
    return chosen.model_copy(update=values)


class TestConversions:
    def test_an_event_is_known_by_its_own_name_or_the_specs(self):
        assert told(order("completed_order"))["transactionId"] == "o-1"
        assert told(order("Trial"), changed(DATA_MANAGER, conversions={"Trial": "7"}))["transactionId"] == "o-1"

    def test_what_is_no_order_is_known_again_by_its_message(self):
        assert told(event(1, event="Signed Up", context=EMAIL))["transactionId"] == "msg-000001"
        assert told(event(1, event="Signed Up", context=EMAIL), UPLOADS)["orderId"] == "msg-000001"

    def test_a_conversion_without_a_value_has_its_actions_own(self):
        assert "conversionValue" not in told(order())
        assert "currency" not in told(order())

    def test_amounts_are_in_the_currency_of_the_event_or_the_settings(self):
        assert told(order(revenue=5, currency="sek"))["currency"] == "SEK"
        assert told(order(revenue=5), changed(DATA_MANAGER, currency="EUR"))["currency"] == "EUR"

    @pytest.mark.parametrize(
        ("context", "click"),
        [
            ({"page": {"url": "https://a.example/?gclid=g1&gbraid=b1"}}, {"gclid": "g1"}),
            ({"cookies": {"_gcl_aw": "GCL.1700000000.g.2"}}, {"gclid": "g.2"}),
            (
                {"cookies": {"_gcl_aw": "GCL.1700000000"}, "page": {"url": "https://a.example/?gbraid=b1"}},
                {"gbraid": "b1"},
            ),
            ({"attribution": {"last": {"clickIds": {"wbraid": "w1"}}}}, {"wbraid": "w1"}),
        ],
    )
    def test_one_click_id_is_told(self, context: dict[str, Any], click: dict[str, str]):
        assert told(order(context=context))["adIdentifiers"] == click

    def test_a_conversion_of_nobody_google_could_know_is_not_told(self):
        nobody = order(context={"traits": {"phone": "030 901820", "firstName": "Ada"}})

        assert GOOGLE_ADS.map(seen(nobody), DATA_MANAGER) == []
        assert GOOGLE_ADS.map(seen(nobody), UPLOADS) == []

    def test_the_google_ads_api_takes_no_person_beside_a_braid(self):
        context = {**EMAIL, "page": {"url": "https://a.example/?gbraid=b1"}}

        assert "userIdentifiers" not in told(order(context=context), UPLOADS)
        assert told(order(context=context))["userData"] == {"userIdentifiers": [{"emailAddress": EMAIL_HASH}]}

    def test_what_is_hashed_already_is_not_hashed_again(self):
        said = order(context={"traits": {"email": EMAIL_HASH.upper()}})

        assert told(said)["userData"] == {"userIdentifiers": [{"emailAddress": EMAIL_HASH}]}

    def test_a_number_without_country_code_is_one_of_the_persons_country_or_the_settings(self):
        """printf %s +4930901820 | sha256sum."""
        hashed = [{"phoneNumber": "4db5829924ee5c466cbd9ac69b2a6af527f758614fa3b3aec8c89b16a709a678"}]
        german = order(context={"traits": {"phone": "030 901820", "address": {"country": "de"}}})
        unknown = order(context={"traits": {"phone": "030 901820"}})

        assert told(german)["userData"]["userIdentifiers"] == hashed
        assert told(unknown, changed(DATA_MANAGER, country="DE"))["userData"]["userIdentifiers"] == hashed

    def test_an_address_is_told_only_as_a_whole(self):
        traits = {**EMAIL["traits"], "firstName": "Ada", "lastName": "Lovelace", "address": {"country": "DE"}}

        assert told(order(context={"traits": traits}))["userData"]["userIdentifiers"] == [{"emailAddress": EMAIL_HASH}]

    def test_nothing_is_said_of_consent_that_is_not_known(self):
        assert "consent" not in told(order())
        assert "consent" not in told(order(), UPLOADS)

    def test_products_are_told_where_google_can_know_them(self):
        products = [
            {"product_id": "a", "price": 2.5, "quantity": 1e300},
            {"product_id": "b", "price": 3, "quantity": 0.4},
            {"product_id": "c"},
            {"price": 1},
        ]
        chosen = changed(DATA_MANAGER, merchant_id="55")

        assert told(order(products=products), chosen)["cartData"] == {
            "merchantId": "55",
            "items": [
                {"merchantProductId": "a", "quantity": 2**31 - 1, "unitPrice": 2.5},
                {"merchantProductId": "b", "quantity": 1, "unitPrice": 3},
            ],
        }
        assert "cartData" not in told(order(products=products))

    def test_a_conversion_from_the_future_happened_when_it_was_received(self):
        said = {**order(), "timestamp": "2026-11-25T18:00:00Z"}

        assert told(said)["eventTimestamp"] == "2026-11-25T12:00:00.000Z"
        assert told(said, UPLOADS)["conversionDateTime"] == "2026-11-25 12:00:00+00:00"


class TestAdjustments:
    @pytest.mark.parametrize(
        ("name", "properties", "adjustment"),
        [
            ("Order Refunded", {"total": 9}, ("RETRACTION", None)),
            ("Order Cancelled", {}, ("RETRACTION", None)),
            ("Order Refunded", {"adjusted_value": 4}, ("RESTATEMENT", 4)),
            ("Order Updated", {"revenue": 5}, ("RESTATEMENT", 5)),
        ],
    )
    def test_an_order_is_worth_nothing_any_more_unless_the_event_says_what(
        self, name: str, properties: dict[str, Any], adjustment: tuple[str, float | None]
    ):
        said = told(order(name, **properties), UPLOADS)

        assert said["adjustmentType"] == adjustment[0]
        assert said.get("restatementValue", {}).get("adjustedValue") == adjustment[1]
        assert told(order(name, **properties))["conversionValue"] == (adjustment[1] or 0)

    @pytest.mark.parametrize("chosen", [DATA_MANAGER, UPLOADS])
    def test_an_adjustment_of_no_order_is_refused_in_words(self, chosen: GoogleAdsSettings):
        with pytest.raises(ValueError, match="an adjustment needs an order_id"):
            told(event(1, event="Order Refunded", context=EMAIL), chosen)

    def test_the_google_ads_api_needs_nobody_for_it_and_the_data_manager_api_does(self):
        refund = event(1, event="Order Refunded", properties={"order_id": "o-1"}, context={})

        assert told(refund, UPLOADS)["orderId"] == "o-1"
        assert GOOGLE_ADS.map(seen(refund), DATA_MANAGER) == []

    @pytest.mark.parametrize("chosen", [DATA_MANAGER, UPLOADS])
    def test_an_order_and_its_refund_never_share_a_request(self, chosen: GoogleAdsSettings):
        keys = {GOOGLE_ADS.map(seen(order(name)), chosen)[0].key for name in ("Order Completed", "Order Refunded")}

        assert len(keys) == 2


def payloads(*order_ids: str) -> list[Payload]:
    return [Payload(f"m-{n}", orjson.dumps({"orderId": each})) for n, each in enumerate(order_ids)]


def answered(status: int, body: Any, *order_ids: str, **headers: str) -> Outcome:
    return GOOGLE_ADS.classify(Response(status, headers, json.dumps(body).encode()), payloads(*order_ids))


def said_of(*codes: str, method: str = "uploadClickConversions") -> Outcome:
    """What a partial failure with these codes, one for each conversion, comes to."""
    return answered(200, partial_failure(method, [*codes]), *(f"o-{n}" for n, _ in enumerate(codes)))


class TestPartialFailures:
    def test_what_google_does_not_name_it_took(self):
        assert answered(200, {"results": [{}], "jobId": "1"}, "o-1") == Delivered()
        assert said_of("", "EXPIRED_EVENT", "") == Partial(
            [Delivered(), Reject("EXPIRED_EVENT: In Google's words: EXPIRED_EVENT."), Delivered()]
        )

    @pytest.mark.parametrize("code", ["ORDER_ID_ALREADY_IN_USE", "CLICK_CONVERSION_ALREADY_EXISTS", "CLICK_NOT_FOUND"])
    def test_what_google_has_is_delivered(self, code: str):
        assert said_of(code) == Partial([Delivered()])

    @pytest.mark.parametrize("code", ["CONVERSION_ALREADY_RETRACTED", "RESTATEMENT_ALREADY_EXISTS"])
    def test_an_adjustment_that_was_made_is_delivered(self, code: str):
        assert said_of(code, method="uploadConversionAdjustments") == Partial([Delivered()])

    @pytest.mark.parametrize(
        ("code", "after_s"),
        [("TOO_RECENT_EVENT", 21_600), ("TOO_RECENT_CONVERSION_ACTION", 21_600), ("TOO_RECENT_CONVERSION", 86_400)],
    )
    def test_what_comes_too_early_is_told_later(self, code: str, after_s: float):
        assert said_of(code) == Partial([Retry(f"{code}: In Google's words: {code}.", after_s)])

    @pytest.mark.parametrize("code", ["INTERNAL_ERROR", "RESOURCE_EXHAUSTED", "CONCURRENT_MODIFICATION"])
    def test_passing_trouble_is_tried_again(self, code: str):
        assert said_of(code) == Partial([Retry(f"{code}: In Google's words: {code}.")])

    @pytest.mark.parametrize("code", ["UNPARSEABLE_GCLID", "CONVERSION_NOT_FOUND", "INVALID_USER_IDENTIFIER"])
    def test_the_rest_is_final(self, code: str):
        assert said_of(code) == Partial([Reject(f"{code}: In Google's words: {code}.")])

    def test_of_one_order_twice_in_a_request_the_first_is_told_again(self):
        body = partial_failure("uploadClickConversions", ["DUPLICATE_ORDER_ID", "DUPLICATE_ORDER_ID", ""])

        outcome = answered(200, body, "o-1", "o-1", "o-2")

        words = "DUPLICATE_ORDER_ID: In Google's words: DUPLICATE_ORDER_ID."
        assert outcome == Partial([Retry(words), Delivered(), Delivered()])

    def test_of_several_faults_of_a_conversion_a_final_one_counts(self):
        body = partial_failure("uploadClickConversions", ["TOO_RECENT_EVENT"])
        (failure,) = body["partialFailureError"]["details"]
        failure["errors"].append({**failure["errors"][0], "errorCode": {"x": "EXPIRED_EVENT"}, "message": "Late."})
        failure["errors"].append(failure["errors"][0])

        assert answered(200, body, "o-1") == Partial([Reject("EXPIRED_EVENT: Late.")])

    @pytest.mark.parametrize(
        "code",
        ["CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", "NO_CONVERSION_ACTION_FOUND", "INVALID_CONVERSION_ACTION_TYPE"],
    )
    def test_what_only_the_owner_can_mend_stops_everything_with_a_hint(self, code: str):
        outcome = said_of("", code)

        assert isinstance(outcome, Halt)
        assert outcome.reason.startswith(f"{code}: ")

    def test_a_fault_without_a_place_is_looked_for_by_halves(self):
        body = {"partialFailureError": {"code": 3, "message": "Something.", "details": []}}

        assert answered(200, body, "o-1", "o-2") == Reject("error: Something.")

    def test_a_place_outside_of_the_request_is_none(self):
        body = partial_failure("uploadClickConversions", ["", "", "EXPIRED_EVENT"])

        assert isinstance(answered(200, body, "o-1"), Reject)

    def test_an_answer_that_was_cut_off_is_asked_for_again(self):
        assert GOOGLE_ADS.classify(Response(200, {}, b'{"results": [{"gclid"'), payloads("o-1")) == Retry(
            "an answer that cannot be read"
        )

    def test_of_the_google_ads_api_an_answer_has_room_for_each_conversion(self):
        """Of an answer the first 64 KiB are read."""
        limit = GOOGLE_ADS.batch_events(UPLOADS, "uploadClickConversions")
        result = {
            "gclid": "g" * 150,
            "conversionAction": "customers/1234567890/conversionActions/1234567890",
            "conversionDateTime": "2026-11-25 12:00:00+00:00",
            "userIdentifiers": [{"hashedEmail": EMAIL_HASH}, {"hashedPhoneNumber": EMAIL_HASH}],
        }

        assert len(json.dumps({"results": [result] * limit}, indent=2)) < 64 * 1024
        assert GOOGLE_ADS.batch_events(DATA_MANAGER, "101 CONVERSION") == 2000


def violation(field: str, reason: str, description: str = "Wrong.") -> dict[str, Any]:
    violations = [{"field": field, "description": description, "reason": reason}]
    details = [{"reason": "INVALID_ARGUMENT", "domain": "datamanager.googleapis.com"}, {"fieldViolations": violations}]
    return {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Problem.", "details": details}}


class TestDataManagersRefusals:
    def test_the_culprits_are_named_and_the_others_told_again(self):
        body = violation("events.events[1].user_data.user_identifiers", "INVALID_SHA256_FORMAT", "Email is not hashed.")

        assert answered(400, body, "o-1", "o-2", "o-3") == Partial(
            [
                Retry("refused with others"),
                Reject("INVALID_SHA256_FORMAT: events.events[1].user_data.user_identifiers Email is not hashed."),
                Retry("refused with others"),
            ]
        )

    def test_a_wrong_action_stops_everything(self):
        body = violation("destinations.destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_ID")

        assert isinstance(answered(400, body, "o-1", "o-2"), Halt)

    def test_a_fault_without_a_place_is_looked_for_by_halves(self):
        assert answered(400, violation("encoding", "REQUIRED_FIELD_MISSING"), "o-1", "o-2") == Reject(
            "REQUIRED_FIELD_MISSING: encoding Wrong."
        )


class TestAnswersAsAWhole:
    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (400, Reject("PERHAPS: Words.")),
            (401, Halt("PERHAPS: Words.")),
            (403, Halt("PERHAPS: Words.")),
            (429, Retry("PERHAPS: Words.")),
            (500, Retry("PERHAPS: Words.")),
        ],
    )
    def test_a_status_is_given_in_googles_words(self, status: int, outcome: Outcome):
        assert answered(status, {"error": {"status": "PERHAPS", "message": "Words."}}, "o-1") == outcome

    @pytest.mark.parametrize(
        "details",
        [
            [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s"}],
            [{"errors": [{"details": {"quotaErrorDetails": {"retryDelay": "30s"}}}]}],
        ],
    )
    def test_google_says_in_the_body_how_long_to_wait(self, details: list[Any]):
        outcome = answered(429, {"error": {"status": "RESOURCE_EXHAUSTED", "details": details}}, "o-1")

        assert isinstance(outcome, Retry)
        assert outcome.after_s == 30

    def test_an_ended_version_stops_everything(self):
        body = {"error": {"details": [{"errors": [{"errorCode": {"requestError": "UNSUPPORTED_VERSION"}}]}]}}

        assert isinstance(answered(400, body, "o-1"), Halt)
        assert isinstance(GOOGLE_ADS.classify(Response(404, {}, b"<html>Not Found"), payloads("o-1")), Halt)

    def test_words_are_kept_short(self):
        outcome = answered(400, {"error": {"status": "X", "message": "w" * 5000}}, "o-1")

        assert isinstance(outcome, Reject)
        assert len(outcome.reason) == 200


def test_customer_ids_are_taken_as_google_writes_them():
    assert DATA_MANAGER.customer_id == "1234567890"


def test_the_probe_asks_for_a_token_and_changes_nothing():
    assert GOOGLE_ADS.probe is not None
    assert GOOGLE_ADS.probe(DATA_MANAGER).url == "https://oauth2.googleapis.com/token"


@pytest.mark.parametrize(
    "wrong",
    [
        {"conversions": {}, "adjustments": {}},
        {"conversions": {"Order Completed": "customers/1/conversionActions/2"}},
        {"customer_id": "12345"},
        {"login_customer_id": "my account"},
        {"api": "adwords"},
        {"api_version": "26"},
        {"country": "Germany"},
        {"currency": "euro"},
        {"merchant_id": "shop"},
    ],
)
def test_a_setting_that_could_not_work_is_refused(wrong: dict[str, Any]):
    with pytest.raises(ValidationError):
        GoogleAdsSettings.model_validate({**ACCOUNT, **wrong})
