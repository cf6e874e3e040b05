/**
 * Builds dist/ from src/. Same source, same bytes.
 *
 *   headwater.js    `(site => { ... })`: an expression. Whoever serves it appends the call, `({"writeKey": ...});`.
 *   lite.js         the same, of the small script.
 *   vitals.js ...   modules that export `start`, loaded by the script when a site wants them.
 *   snippet.js      the inline stub of docs/script.md.
 *   headwater.d.ts  the types of what pages call.
 */
import { build } from 'esbuild';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { minify } from 'terser';

const here = new URL('./', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', here), 'utf8'));
const out = process.argv[2] ? new URL(`file://${process.argv[2]}/`) : new URL('dist/', here);
const TERSER = { ecma: 2020, compress: { passes: 3, unsafe_arrows: true, hoist_funs: true }, format: { comments: false } };
const HANDLE = '__HEADWATER__=';

async function bundle(entry) {
  const bundled = await build({
    entryPoints: [new URL(entry, here).pathname],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2020',
    minifySyntax: true,
    define: { __VERSION__: JSON.stringify(version) },
  });
  return toArrows(bundled.outputFiles[0].text);
}

/** Arrows in one `var` are shorter than functions, and esbuild puts what a module needs before it. */
function toArrows(code) {
  return code.replace(/^(async )?function ([\w$]+)(\(.*\)) \{\n([^]*?)^\}$/gm, (_, prefix = '', name, parameters, body) => `var ${name} = ${prefix}${parameters} => {\n${body}};`);
}

async function buildScript(entry) {
  // An assignment keeps the function through minification; it is cut off again.
  const { code } = await minify(`${HANDLE}__SITE__=>{${await bundle(entry)}}`, TERSER);
  if (!code.startsWith(HANDLE) || !code.endsWith('};')) throw new Error(`unexpected shape: ${code.slice(0, 40)}`);
  return `(${code.slice(HANDLE.length, -1)})`;
}

async function buildChunk(entry) {
  return (await minify(await bundle(entry), { ...TERSER, module: true })).code;
}

async function buildSnippet() {
  return (await minify(readFileSync(new URL('src/snippet.js', here), 'utf8'), { ...TERSER, ecma: 5 })).code;
}

const files = {
  'headwater.js': await buildScript('src/main.ts'),
  'lite.js': await buildScript('src/lite.ts'),
  'snippet.js': await buildSnippet(),
};
for (const name of readdirSync(new URL('src/chunks', here)).sort()) {
  files[name.replace('.ts', '.js')] = await buildChunk(`src/chunks/${name}`);
}
mkdirSync(out, { recursive: true });
copyFileSync(new URL('src/analytics.d.ts', here), new URL('headwater.d.ts', out));
for (const [name, text] of Object.entries(files)) {
  writeFileSync(new URL(name, out), text);
  const brotli = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: text.length } });
  console.log(`${name}: ${text.length} B, gzip ${gzipSync(text, { level: 9 }).length} B, brotli ${brotli.length} B`);
}
