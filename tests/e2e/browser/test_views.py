import json, pytest
from tests.e2e.browser.harness.shop import tag
pytestmark = pytest.mark.asyncio(loop_scope="session")

async def test_x(shop, page, context):
    await page.goto(shop.write(tag() + "<a id=x href='http://other.test/foo?a=1' data-track='Foo' data-track-plan-name=pro>x</a>") + "?utm_source=a&gclid=7")
    await page.evaluate("analytics.identify('u', {a:1}); analytics.group('g', {b:1}); analytics.alias('v'); analytics.flush()")
    await shop.until_rows(1, "pages")
    await page.evaluate("x.click()")
    await shop.until_rows(1, "identifies")
    await shop.settled()
    out = {}
    for r in await shop.query("select table_name, column_name, data_type from information_schema.columns"):
        out.setdefault(r['table_name'], []).append((r['column_name'], r['data_type']))
    print(json.dumps(out, indent=0, default=str))
    for t in ("pages", "tracks", "identifies", "groups", "aliases"):
        print(t, await shop.rows(t))
    print(await page.evaluate("JSON.stringify(localStorage)"))
    print(shop.relay.posts)
    assert 0
