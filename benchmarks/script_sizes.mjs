/**
 * The browser script's size beside those of other trackers, each as a page would load it: published files as they are,
 * modules bundled and minified by esbuild. Bytes, gzip at level 9, Brotli at quality 11.
 */
import { build } from '../gateway/script/node_modules/esbuild/lib/main.js';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const here = (path) => new URL(path, import.meta.url).pathname;
const OURS = here('../gateway/script/dist/');
const PEERS = here('../tests/e2e/sdks/node_modules/');

const published = (path) => readFileSync(path, 'utf8');

async function bundled(code) {
  const options = { bundle: true, minify: true, write: false, format: 'iife', target: 'es2020', logLevel: 'error' };
  const result = await build({ ...options, stdin: { contents: code, resolveDir: PEERS } });
  return result.outputFiles[0].text;
}

function measure(name, text) {
  const gzip = gzipSync(text, { level: 9 }).length;
  return { name, plain: Buffer.byteLength(text), gzip, brotli: brotliCompressSync(text).length };
}

const version = (name) => JSON.parse(published(`${PEERS}${name}/package.json`)).version;
const core = measure('Headwater, core', published(`${OURS}headwater.js`));
const rows = [
  core,
  measure('Headwater, lite', published(`${OURS}lite.js`)),
  measure('Headwater, inline snippet', published(`${OURS}snippet.js`)),
  ...['vitals', 'errors', 'linker'].map((chunk) => measure(`Headwater, ${chunk} (lazy)`, published(`${OURS}${chunk}.js`))),
  measure(`Segment analytics-next ${version('@segment/analytics-next')}`, published(`${PEERS}@segment/analytics-next/dist/umd/standalone.js`)),
  measure(
    `RudderStack analytics-js ${version('@rudderstack/analytics-js')}`,
    await bundled("import { RudderAnalytics } from '@rudderstack/analytics-js'; window.rudderanalytics = new RudderAnalytics();"),
  ),
  measure(`Snowplow browser-tracker ${version('@snowplow/browser-tracker')}`, published(`${PEERS}@snowplow/browser-tracker/dist/index.umd.min.js`)),
  measure(`PostHog posthog-js ${version('posthog-js')}`, published(`${PEERS}posthog-js/dist/array.js`)),
  measure(
    `Plausible tracker ${version('@plausible-analytics/tracker')}`,
    await bundled("import * as plausible from '@plausible-analytics/tracker'; window.plausible = plausible;"),
  ),
];

const line = (name, plain, gzip, brotli, ratio) => `${name.padEnd(34)}${[plain, gzip, brotli, ratio].map((cell) => String(cell).padStart(10)).join('')}`;
console.log(line('', 'bytes', 'gzip', 'brotli', 'to core'));
for (const { name, plain, gzip, brotli } of rows) console.log(line(name, plain, gzip, brotli, (brotli / core.brotli).toFixed(2)));
