// Runs a driver in node: node run.mjs drivers/node/NAME.mjs JOB_AS_JSON
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// No exit: as in a server, an SDK that still tries to send has the time it wants, and the process ends when none is left.
const [file, job] = process.argv.slice(2);
const { run } = await import(pathToFileURL(resolve(file)));
await run(JSON.parse(job));
