/** Parts that few sites want, or that can wait: modules, loaded when the page has time. */
import type { Method } from './api';
import type { ask } from './delivery';
import { absolute, settings } from './settings';
import type { Settings } from './types';

/** What a chunk's `start` is handed. */
export type Tools = Settings & { ask: typeof ask; track: Method };

/** `import` obeys the page's content security policy, needs no Trusted Type, and a failure costs the chunk alone. */
export function loadChunks(tools: Tools): void {
  settings.chunks?.forEach((path) => import(absolute(path)).then(({ start }) => start(tools)).catch(() => {}));
}
