/** A random UUID of version 4; given a time in milliseconds, one of version 7, which sorts by that time. */
export function uuid(atMs?: number): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const head = atMs === undefined ? random.slice(0, 12) : atMs.toString(16).padStart(12, '0');
  const version = atMs === undefined ? '4' : '7';
  return [head.slice(0, 8), head.slice(8), version + random.slice(13, 16), 'a' + random.slice(17, 20), random.slice(20)].join('-');
}

/** When a version 7 UUID was made, in milliseconds since the epoch; NaN for anything else. */
export function madeAt(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** Message ids in strictly rising order: events of one millisecond keep their order when they are sorted by id. */
export function messageIds(): () => string {
  let lastMs = 0;
  return () => uuid((lastMs = Math.max(Date.now(), lastMs + 1)));
}
