"""Pages that deny, break or forbid what a script needs: it does what can still be done, and never adds to the
trouble."""

import pytest
from playwright.async_api import Page

from gateway.script import load_assets
from tests.e2e.browser.harness.shop import SCRIPT, Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUIET = tag("plain")
LOADS = 4
SEND = "analytics.identify('ann', {vip: true}), analytics.track('A'), analytics.track('B'), analytics.flush()"
DENY_STORAGE = """
    const deny = () => { throw new DOMException('denied', 'SecurityError') };
    Object.defineProperty(window, 'localStorage', {get: deny});
    Object.defineProperty(window, 'sessionStorage', {get: deny});
    Object.defineProperty(Document.prototype, 'cookie', {get: deny, set: deny});
"""
FILL_STORAGE = "<script>localStorage.filler = 'x'.repeat(5 * 1024 * 1024 - 10)</script>"


async def until_sent(shop: Shop) -> None:
    """What SEND does is in the warehouse, of one visitor, who is known."""
    rows = [*await shop.until_rows(2), *await shop.until_rows(1, "identifies")]
    assert [row["user_id"] for row in rows] == ["ann"] * 3
    assert len({row["anonymous_id"] for row in rows}) == 1


async def test_without_storage_and_cookies_it_works_in_memory(shop: Shop, page: Page, complaints: list[str]):
    await page.add_init_script(DENY_STORAGE)
    await page.goto(shop.write(QUIET))
    await page.evaluate(SEND)

    await until_sent(shop)
    assert complaints == []


async def test_with_a_full_disk_it_works_in_memory(shop: Shop, page: Page, complaints: list[str]):
    await page.goto(shop.write(FILL_STORAGE + QUIET))
    await page.evaluate(SEND)

    await until_sent(shop)
    assert complaints == []


async def test_in_a_sandboxed_frame_it_works_in_memory(shop: Shop, page: Page, complaints: list[str]):
    shop.write(QUIET, "framed")
    await page.goto(shop.write('<iframe sandbox="allow-scripts" src="framed"></iframe>'))
    (frame,) = page.main_frame.child_frames
    assert await frame.evaluate("origin") == "null"
    await frame.evaluate(SEND)

    await until_sent(shop)
    assert complaints == []


@pytest.mark.parametrize("foreign", ["function () {}", "null", "{}", "'track'"])
async def test_what_is_no_call_in_the_queue_is_passed_over(shop: Shop, page: Page, complaints: list[str], foreign: str):
    queue = f"<script>window.analytics = [{foreign}, ['track', 'A'], {foreign}]</script>"
    await page.goto(shop.write(queue + QUIET))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate(f"analytics.push({foreign}), analytics.push(['track', 'B']), analytics.flush()")

    assert [row["event_text"] for row in await shop.until_rows(2)] == ["A", "B"]
    assert complaints == []


@pytest.mark.parametrize("value", ["'{broken'", "'5'", "'true'", "'\"text\"'", "'[]'"])
async def test_foreign_values_in_its_storage_are_survived(shop: Shop, page: Page, complaints: list[str], value: str):
    keys = "['hw_id', 'hw_rotate', 'hw_person', 'hw_session', 'hw_touch', 'hw_consent', 'hw_retry', 'hw_mark']"
    foreign = f"for (const key of {keys}) localStorage[key] = {value}; localStorage['hw_out:'] = {value};"
    await page.goto(shop.write(f"<script>{foreign} localStorage['hw_out:a:b:c'] = {value}</script>{QUIET}"))
    await page.evaluate(SEND)

    assert [row["event_text"] for row in await shop.until_rows(2)] == ["A", "B"]
    assert complaints == []


async def test_a_clock_that_was_wrong_does_not_keep_events_waiting(shop: Shop, page: Page):
    later = "localStorage.hw_retry = JSON.stringify([3, Date.now() + 1e10])"
    await page.goto(shop.write(f"<script>{later}</script>{QUIET}"))
    await page.evaluate("analytics.track('A'); null")

    assert await shop.until_event("A")


@pytest.mark.parametrize(
    "breakage",
    [
        "window.fetch = () => { throw new Error('theirs') }",
        "window.fetch = () => undefined",
        "window.AbortSignal = undefined",
        "Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined})",
        "navigator.sendBeacon = () => { throw new Error('theirs') }",
        "Array.prototype.extra = () => 'theirs'; Object.prototype.extra = 'theirs'",
    ],
)
async def test_what_the_page_overwrites_badly_costs_no_event(
    shop: Shop, page: Page, complaints: list[str], breakage: str
):
    await page.goto(shop.write(f"<script>{breakage}</script>{QUIET}"))
    await page.evaluate("analytics.track('A'), analytics.track('B'); null")
    await page.goto(shop.write("<script></script>" + QUIET, "second"))
    rows = await shop.until_rows(2)

    assert [row["event_text"] for row in rows] == ["A", "B"]
    assert complaints == []


async def test_wrong_calls_and_failing_listeners_never_throw(shop: Shop, page: Page):
    await page.goto(shop.write(QUIET))
    await page.evaluate("""async () => {
        const circle = {};
        circle.self = circle;
        analytics.track('Circle', circle);
        analytics.track('Getter', {get bad() { throw new Error('theirs') }});
        analytics.track('Big', {big: 10n});
        analytics.track();
        analytics.track(null, null, null, null);
        analytics.track(Symbol('no name'));
        analytics.identify(null, null, null, null);
        analytics.page(null, 'Named');
        analytics.alias();
        analytics.group();
        analytics.ready(() => { throw new Error('theirs') });
        analytics.on('track', () => { throw new Error('theirs') });
        analytics.addSourceMiddleware(({payload, next}) => { next(payload); throw new Error('theirs') });
        analytics.trackLink(null, 'Nothing');
        analytics.trackForm(undefined, 'Nothing');
        analytics.consent('nonsense');
        analytics.push(['nonsense'], ['track']);
    }""")
    await page.evaluate("analytics.track('Good'), analytics.flush()")

    assert await shop.until_event("Good")
    assert [row["name"] for row in await shop.until_rows(1, "pages")] == ["Named"]


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_page_whose_own_code_is_broken_is_counted_all_the_same(shop: Shop, page: Page, where: str):
    broken = "<script>undefined.mistake</script><script>syntax error</script>"
    await page.goto(shop.write(broken + tag() if where == "before" else tag() + broken))

    assert await shop.until_rows(1, "pages")


@pytest.mark.parametrize("source", ["", "chunks", "lite"])
async def test_the_strictest_content_security_policy_is_kept(
    shop: Shop, page: Page, complaints: list[str], source: str
):
    """`script-src` and `connect-src` are 'self', no inline code, Trusted Types without any policy."""
    await page.goto(shop.write(tag(source), strict=True))
    await page.evaluate("analytics.track('A')")

    assert await shop.until_event("A")
    assert len(await shop.until_rows(1, "pages")) == 1
    if source == "chunks":
        await page.evaluate("setTimeout(() => undefined.mistake); null")
        assert await shop.until_event("Error"), "the chunk came"
        complaints[:] = [each for each in complaints if "mistake" not in each]
    assert complaints == []


async def test_the_pinned_file_runs_under_its_integrity_hash_and_the_strictest_policy(
    shop: Shop, page: Page, complaints: list[str]
):
    pinned = load_assets().immutable
    address = f"{SCRIPT.rpartition('/')[0]}/{pinned.file_name}"
    settings = f'data-write-key="web-key" data-endpoint="{SCRIPT}"'
    await page.goto(
        shop.write(f'<script async src="{address}" integrity="{pinned.integrity}" {settings}></script>', strict=True)
    )

    assert await shop.until_rows(1, "pages")
    assert complaints == []


async def test_loading_it_and_calling_it_holds_the_page_up_by_no_long_task(shop: Shop, page: Page):
    """A long task is what browsers call so: more than 50 ms in which the page could not answer the visitor. On a busy
    machine any task may be one, but not each time."""
    await page.add_init_script("""
        window.observer = new PerformanceObserver(() => {});
        observer.observe({type: 'longtask'});
    """)
    shop.write(tag("chunks"))
    long_tasks = []
    for _ in range(LOADS):
        await page.goto(shop.url())
        await page.evaluate("for (let i = 0; i < 20; i++) analytics.track('A'); null")
        await page.evaluate("analytics.flush()")
        long_tasks.append(await page.evaluate("observer.takeRecords().map(({duration}) => duration)"))
    await shop.until_rows(LOADS, "pages")

    assert [] in long_tasks
