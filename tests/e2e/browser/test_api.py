"""A page that was written for analytics.js runs unchanged, and is told the truth about what became of its calls."""

import json

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.browser.harness.front import Fault
from tests.e2e.browser.harness.shop import SCRIPT, Shop, tag
from tests.e2e.harness.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUIET = tag(attributes='data-off="engagement page"')
START_S = 1_800_000_000
SEGMENTS_SNIPPET = """<script>(function () {
    var key = "analytics";
    var analytics = window[key] = window[key] || [];
    if (analytics.initialize) return;
    if (analytics.invoked) return console.error("Segment snippet included twice.");
    analytics.invoked = true;
    analytics.methods = ["trackSubmit", "trackClick", "trackLink", "trackForm", "pageview", "identify", "reset",
        "group", "track", "ready", "alias", "debug", "page", "screen", "once", "off", "on", "addSourceMiddleware",
        "addIntegrationMiddleware", "setAnonymousId", "addDestinationMiddleware", "register"];
    analytics.factory = function (method) {
        return function () {
            if (window[key].initialized) return window[key][method].apply(window[key], arguments);
            var args = Array.prototype.slice.call(arguments);
            if (["track", "screen", "alias", "group", "page", "identify"].indexOf(method) > -1)
                args.push({__t: "bpc", c: undefined, p: location.pathname, u: location.href, s: location.search,
                    t: document.title, r: document.referrer});
            args.unshift(method);
            analytics.push(args);
            return analytics;
        };
    };
    for (var i = 0; i < analytics.methods.length; i++)
        analytics[analytics.methods[i]] = analytics.factory(analytics.methods[i]);
    analytics.load = function (writeKey, options) {
        var script = document.createElement("script");
        script.type = "text/javascript";
        script.async = true;
        script.setAttribute("data-global-segment-analytics-key", key);
        script.src = "ADDRESS";
        var first = document.getElementsByTagName("script")[0];
        first.parentNode.insertBefore(script, first);
        analytics._loadOptions = options;
    };
    analytics._writeKey = "web-key";
    analytics.SNIPPET_VERSION = "5.2.0";
    analytics.load("web-key");
    analytics.page("Shop", "Lanterns", {collection: "boats"});
})()</script>""".replace("ADDRESS", f"{SCRIPT}.js")
"""As Segment's own package makes it; only the address is another."""
WRITTEN_FOR_SEGMENT = """
    <a id="next" href="next">next</a>
    <form id="join"><input name="email" value="ada@lovelace.example"><button id="send">send</button></form>
    <script>
        window.said = [];
        document.addEventListener("click", function (event) {
            if (event.target.id === "next") event.preventDefault();
        });
        document.addEventListener("submit", function (event) { event.preventDefault(); });
        analytics.on("track", function (event, properties, options) {
            said.push(["on track", event, properties, options.integrations]);
        });
        analytics.identify("ada", {plan: "pro", seats: 2}, function () { said.push(["identified"]); });
        analytics.identify({seats: 3});
        analytics.group("acme", {employees: 9});
        analytics.track("Signed Up", {plan: "pro"}, {integrations: {All: false}}, function () {
            said.push(["tracked"]);
        });
        analytics.alias("ada-2");
        analytics.screen("Home");
        analytics.trackLink(document.getElementById("next"), "Next Clicked", {n: 1});
        analytics.trackForm(document.getElementById("join"), "Joined", function (form) { return {form: form.id}; });
        analytics.ready(function () {
            var user = analytics.user();
            said.push(["ready", user.id(), user.traits(), typeof user.anonymousId()]);
        });
    </script>"""


def sent(shop: Shop) -> list[str]:
    """What the gateway was sent of this test's pages."""
    return [post["body"] for post in shop.relay.posts if shop.folder in post["body"]]


async def test_a_page_with_segments_snippet_runs_unchanged(shop: Shop, page: Page, complaints: list[str]):
    await page.goto(shop.write(WRITTEN_FOR_SEGMENT, head=SEGMENTS_SNIPPET) + "?utm_source=news")
    await page.wait_for_function("said.length === 4")
    await page.click("#next")
    await page.click("#send")
    tracks = await shop.until_rows(4)

    assert await page.evaluate("said.slice(0, 4)") == [
        ["on track", "Signed Up", {"plan": "pro"}, {"All": False}],
        ["ready", "ada", {"plan": "pro", "seats": 3}, "string"],
        ["identified"],
        ["tracked"],
    ]
    assert [(row["event_text"], json.loads(row["properties"])) for row in tracks] == [
        ("Signed Up", {"plan": "pro"}),
        ("Next Clicked", {"n": 1}),
        ("Form Submitted", {"id": "join", "name": None, "action": None}),
        ("Joined", {"form": "join"}),
    ]
    (view,) = await shop.until_rows(1, "pages")
    assert (view["category"], view["name"], view["collection"], view["title"]) == ("Shop", "Lanterns", "boats", "index")
    assert view["context_campaign_source"] == "news"
    first, second = await shop.until_rows(2, "identifies")
    assert (first["user_id"], first["plan"], first["seats"]) == ("ada", "pro", 2)
    assert (second["user_id"], second["plan"], second["seats"]) == ("ada", "pro", 3)
    (group,) = await shop.until_rows(1, "groups")
    assert (group["group_id"], group["employees"]) == ("acme", 9)
    assert tracks[0]["context_group_id"] == "acme"
    (alias,) = await shop.until_rows(1, "aliases")
    assert (alias["user_id"], alias["previous_id"]) == ("ada-2", "ada")
    (screen,) = await shop.until_rows(1, "screens")
    assert screen["name"] == "Home"
    assert len({row["anonymous_id"] for row in (*tracks, view, first, second, group, alias, screen)}) == 1
    assert complaints == []


async def test_calls_through_a_reference_from_before_go_on_working(shop: Shop, page: Page, complaints: list[str]):
    early = "<script>window.early = analytics; window.earlyTrack = analytics.track</script>"
    await page.goto(shop.write(early, head=SEGMENTS_SNIPPET))
    await shop.until_rows(1, "pages")

    await page.evaluate("early.track('By Object', {n: 1}), earlyTrack('By Function', {n: 2})")
    await page.evaluate("[analytics.once('track', () => {}), analytics.debug(), analytics.off('track')] && null")

    tracks = await shop.until_rows(2)
    assert [(row["event_text"], json.loads(row["properties"])) for row in tracks] == [
        ("By Object", {"n": 1}),
        ("By Function", {"n": 2}),
    ]
    assert complaints == []


async def test_middleware_and_listeners_queued_after_the_first_calls_hear_of_them_all_the_same(shop: Shop, page: Page):
    body = """<script>
        window.heard = [];
        analytics.track("Early", {email: "ada@lovelace.example"});
        analytics.on("track", function (event) { heard.push(event); });
        analytics.addSourceMiddleware(function (step) {
            delete step.payload.obj.properties.email;
            step.payload.obj.properties.checked = true;
            step.next(step.payload);
        });
    </script>"""
    await page.goto(shop.write(body, head=SEGMENTS_SNIPPET))
    early = await shop.until_event("Early")
    (view,) = await shop.until_rows(1, "pages")

    assert json.loads(early["properties"]) == {"checked": True}
    assert view["checked"] is True
    assert await page.evaluate("heard") == ["Early"]


async def test_middleware_changes_events_and_drops_them(shop: Shop, page: Page):
    await page.goto(shop.write(QUIET))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("""() => {
        analytics.addSourceMiddleware(({payload, next}) => {
            if (payload.obj.event === 'Secret') return;
            payload.obj.properties.first = true;
            next(payload);
        });
        analytics.addSourceMiddleware(({payload: {obj}, next}) =>
            next(obj.event === 'Nothing' ? null : {obj: {...obj, context: {...obj.context, locale: 'fr'}}}));
        analytics.addSourceMiddleware(({payload, next}) => Promise.resolve().then(() => next(payload)));
        for (const name of ['Secret', 'Public', 'Nothing']) analytics.track(name, {n: 1});
    }""")
    public = await shop.until_event("Public")
    await page.evaluate("analytics.track('End'), Promise.resolve().then(() => analytics.flush())")
    await shop.until_event("End")

    assert await shop.events() == ["Public", "End"]
    assert json.loads(public["properties"]) == {"n": 1, "first": True}
    assert public["context_locale"] == "fr"


async def test_middleware_and_listeners_that_fail_cost_no_other_event(shop: Shop, page: Page, complaints: list[str]):
    await page.goto(shop.write(QUIET))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("""() => {
        analytics.on('track', () => { throw new Error('of the listener') });
        analytics.track('First');
        analytics.addSourceMiddleware(() => { throw new Error('of the middleware') });
        analytics.track('Second');
        analytics.ready(() => { throw new Error('of ready') });
        analytics.flush();
    }""")

    await shop.until_event("First")
    assert await shop.events() == ["First"]
    assert len(complaints) == 4


async def test_callbacks_and_promises_settle_when_the_gateway_has_the_event(shop: Shop, page: Page):
    await page.clock.install(time=START_S)
    await page.clock.pause_at(START_S + 1)
    await page.goto(shop.write(QUIET))
    await page.wait_for_function("window.analytics?.flush", polling=50)
    await page.evaluate("""() => {
        window.settled = [];
        analytics.track('A', {n: 1}, {}, (event) => settled.push(['callback', event.messageId]));
        analytics.track('B').then((event) => settled.push(['promise', event.messageId]));
        analytics.identify('u', (event) => settled.push([event.type, event.messageId]));
    }""")
    assert await page.evaluate("settled") == []
    assert sent(shop) == []

    await page.clock.run_for(1)  # too little for anything but an answer to settle them
    await page.wait_for_function("settled.length === 3", polling=50)

    a, b = await shop.until_rows(2)
    (identify,) = await shop.until_rows(1, "identifies")
    assert sorted(await page.evaluate("settled")) == sorted(
        [["callback", a["id"]], ["promise", b["id"]], ["identify", identify["id"]]]
    )


async def test_a_call_settles_without_an_answer_when_that_takes_too_long_to_wait_for(shop: Shop, page: Page):
    shop.relay.faults.extend([Fault(503, retry_after_s=60)])
    await page.clock.install(time=START_S)
    await page.clock.pause_at(START_S + 1)
    await page.goto(shop.write(QUIET))
    await page.wait_for_function("window.analytics?.flush", polling=50)
    await page.evaluate("""() => {
        window.settled = 0;
        analytics.track('Kept', {}, {}, () => settled++).then(() => settled++);
    }""")
    await page.clock.run_for(250)
    await until(lambda: len(sent(shop)) == 1, "the gateway has refused it")
    assert await page.evaluate("settled") == 0

    await page.clock.run_for(100)
    assert await page.evaluate("settled") == 2

    await page.evaluate("analytics.flush()")
    assert await shop.until_event("Kept")


async def test_listeners_hear_what_became_of_each_event(shop: Shop, page: Page):
    shop.relay.faults.extend([Fault(500), Fault(400)])
    await page.goto(shop.write(QUIET))
    await page.wait_for_function("window.analytics?.flush")
    heard, ids = await page.evaluate("""async () => {
        const heard = [];
        const hear = (name) => analytics.on(name, (ids, more) => heard.push([name, ids, more]));
        ['retrying', 'dropped', 'delivered'].forEach(hear);
        analytics.on('queued', (event) => heard.push(['queued', event.event]));
        const first = analytics.track('Refused');
        for (let i = 0; i < 2; i++) await analytics.flush();
        const second = analytics.track('Taken');
        await analytics.flush();
        return [heard, [(await first).messageId, (await second).messageId]];
    }""")

    assert [(name, what) for name, what, *_ in heard] == [
        ("queued", "Refused"),
        ("retrying", [ids[0]]),
        ("dropped", [ids[0]]),
        ("queued", "Taken"),
        ("delivered", [ids[1]]),
    ]
    assert heard[2][2] == "refused: 400"
    assert (await shop.until_event("Taken"))["id"] == ids[1]


async def test_options_say_what_the_browser_does_not_know(shop: Shop, page: Page, context: BrowserContext):
    await page.goto(shop.write(QUIET))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("""() => {
        const context = {locale: 'fr-CA', app: {name: 'till'}};
        analytics.track('Told', null, {context, userId: 'u9', timestamp: '2026-01-02T03:04:05Z'});
        analytics.track('Wrong', {}, {timestamp: 'soon'});
        analytics.track('Plain');
        analytics.flush();
    }""")
    told, wrong, plain = await shop.until_rows(3)

    assert (told["event_text"], told["user_id"], told["context_locale"]) == ("Told", "u9", "fr-CA")
    assert told["context_app_name"] == "till"
    assert told["original_timestamp"].startswith("2026-01-02T03:04:05")
    assert wrong["original_timestamp"][:10] == plain["original_timestamp"][:10] > "2026-01-02"
    assert plain["user_id"] is None
