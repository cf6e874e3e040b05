"""dist/ is what src/ builds to, to the byte. Needs the build tools: `npm ci` in gateway/script."""

import shutil
import subprocess
from pathlib import Path

import pytest

import gateway.script

SCRIPT = Path(gateway.script.__file__).parent
NODE = shutil.which("node") or "node"
TSC = SCRIPT / "node_modules" / "typescript" / "bin" / "tsc"
SHOP = """
import type { Consent, EventOptions, Recorded, TrackedEvent } from './headwater';

const options: EventOptions = { context: { ip: '0.0.0.0' }, timestamp: new Date(), integrations: { All: false } };
const recorded: Recorded = window.analytics.track('Bought', { total: 9.5 }, options, (event) => event.messageId.length);
analytics.track('Bought');
analytics.track('Bought', (event: TrackedEvent) => event.userId?.length);
analytics.page('Docs', 'Install', { words: 900 });
analytics.identify(7, { plan: 'pro' });
analytics.identify({ plan: 'pro' });
analytics.group('acme').then((event) => event.context);
analytics.alias('new', 'old');
const choice: Consent = analytics.consent({ analytics: true, marketing: false });
analytics.consent(false);
const who: string | null = analytics.user().id();
analytics.setAnonymousId(analytics.user().anonymousId());
analytics.trackLink(document.querySelectorAll('a'), 'Left', (link) => ({ to: link.getAttribute('href') }));
analytics.addSourceMiddleware(({ payload, next }) => next(payload.obj.type === 'page' ? null : payload));
analytics.on('dropped', (ids, reason) => [ids.length, reason.length]);
analytics.on('track', (name) => name);
analytics.ready(() => void analytics.flush());
analytics.reset();
export { choice, recorded, who };
"""
WRONG = [
    "analytics.track();",
    "analytics.track({ name: 'Bought' });",
    "analytics.consent('yes');",
    "analytics.on('sending', () => {});",
    "const id: string = analytics.user().id();",
    "analytics.load('key');",
]


def compile_page(directory: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Type-checks a page's own TypeScript against the shipped types, as strictly as there is."""
    shutil.copy(SCRIPT / "dist" / "headwater.d.ts", directory)
    (directory / "page.ts").write_text(text)
    options = ("--strict", "--noEmit", "--target", "es2020", "--lib", "es2020,dom", "--types", "")
    return subprocess.run(
        [NODE, str(TSC), *options, "page.ts"], cwd=directory, capture_output=True, text=True, check=False
    )


def test_a_build_gives_the_committed_bytes(tmp_path: Path):
    subprocess.run([NODE, "build.mjs", str(tmp_path)], cwd=SCRIPT, check=True, capture_output=True)

    built = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    committed = {file.name: file.read_bytes() for file in (SCRIPT / "dist").iterdir()}
    assert built == committed, "run `make script` and commit dist/"


def test_the_types_are_sound():
    checked = subprocess.run([NODE, str(TSC), "--noEmit"], cwd=SCRIPT, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stdout) == (0, "")


def test_a_page_in_typescript_uses_it_as_documented(tmp_path: Path):
    checked = compile_page(tmp_path, SHOP)

    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize("line", WRONG)
def test_and_is_told_what_it_does_wrong(tmp_path: Path, line: str):
    checked = compile_page(tmp_path, f"import './headwater';\n{line}\nexport {{}};\n")

    assert checked.returncode != 0
    assert checked.stdout.startswith("page.ts(2,")
