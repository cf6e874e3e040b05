/**
 * Which of the places on standard input (a JSON array of paths) would lists of trackers block? Prints them as JSON, with
 * the kind of request and the rule. The lists are the files named as arguments.
 */
import { FiltersEngine, Request } from '@ghostery/adblocker';
import { readFileSync } from 'node:fs';

const SITE = 'https://www.shop-example.com';
const SUFFIX = { script: '.js', xmlhttprequest: '', ping: '', image: '' };

const engine = FiltersEngine.parse(process.argv.slice(2).map((file) => readFileSync(file, 'utf8')).join('\n'));
const blocked = [];
for (const place of JSON.parse(readFileSync(0, 'utf8'))) {
  for (const [type, suffix] of Object.entries(SUFFIX)) {
    const request = Request.fromRawDetails({ type, url: SITE + place + suffix, sourceUrl: SITE + '/' });
    const { match, filter } = engine.match(request);
    if (match) blocked.push({ place, type, rule: String(filter) });
  }
}
console.log(JSON.stringify(blocked));
