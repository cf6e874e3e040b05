/**
 * Builds dist/ from src/. Same source, same bytes.
 *
 *   headwater.js     `(site => { ... })`: an expression. Whoever serves it appends the call, `({"writeKey": ...});`.
 *   headwater.js.br  the same, compressed, but left open at a byte boundary, so that the call can be appended here too.
 *   snippet.js       the inline stub of docs/script.md.
 */
import { build } from 'esbuild';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { minify } from 'terser';

const here = new URL('./', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', here), 'utf8'));
const out = process.argv[2] ? new URL(`file://${process.argv[2]}/`) : new URL('dist/', here);
const TERSER = { ecma: 2020, compress: { passes: 3, unsafe_arrows: true }, format: { comments: false } };
const HANDLE = '__HEADWATER__=';

async function buildScript() {
  const bundled = await build({
    entryPoints: [new URL('src/main.ts', here).pathname],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2020',
    define: { __VERSION__: JSON.stringify(version) },
  });
  // An assignment keeps the function through minification; it is cut off again.
  const source = `${HANDLE}__SITE__=>{${bundled.outputFiles[0].text}}`;
  const { code } = await minify(source, TERSER);
  if (!code.startsWith(HANDLE) || !code.endsWith('};')) throw new Error(`unexpected shape: ${code.slice(0, 40)}`);
  return `(${code.slice(HANDLE.length, -1)})`;
}

async function buildSnippet() {
  const { code } = await minify(readFileSync(new URL('src/snippet.js', here), 'utf8'), { ...TERSER, ecma: 5 });
  return code;
}

function brotli(text, finishFlush) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length };
  return brotliCompressSync(text, { params, finishFlush });
}

const script = await buildScript();
const snippet = await buildSnippet();
mkdirSync(out, { recursive: true });
writeFileSync(new URL('headwater.js', out), script);
writeFileSync(new URL('headwater.js.br', out), brotli(script, constants.BROTLI_OPERATION_FLUSH));
writeFileSync(new URL('snippet.js', out), snippet);
for (const [name, text] of Object.entries({ 'headwater.js': script, 'snippet.js': snippet })) {
  const sizes = [text.length, gzipSync(text, { level: 9 }).length, brotli(text, constants.BROTLI_OPERATION_FINISH).length];
  console.log(`${name}: ${sizes[0]} B, gzip ${sizes[1]} B, brotli ${sizes[2]} B`);
}
