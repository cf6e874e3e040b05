// Prints Segment's snippet as a site would paste it: node snippet.cjs HOST WRITE_KEY
const snippet = require('@segment/snippet');

const [host, apiKey] = process.argv.slice(2);
process.stdout.write(snippet.min({ host, apiKey, page: { category: 'Shop', name: 'Lanterns', properties: { collection: 'boats' } } }));
