/** A random UUID, version 4. Made by hand: `crypto.randomUUID` is missing on pages without TLS. */
export function uuid(): string {
  const random = crypto.getRandomValues(new Uint8Array(36));
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, (_, at: number) => (random[at]! % 16).toString(16));
}

/** A UUID of version 7, which sorts by its time in milliseconds. */
export function timeUuid(atMs: number): string {
  const time = atMs.toString(16).padStart(12, '0');
  return time.slice(0, 8) + '-' + time.slice(8) + '-7' + uuid().slice(15);
}

/** When a version 7 UUID was made, in milliseconds since the epoch; NaN for anything else. */
export function madeAt(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** Message ids in strictly rising order: events of one millisecond keep their order when they are sorted by id. */
export function messageIds(): () => string {
  let lastMs = 0;
  return () => timeUuid((lastMs = Math.max(Date.now(), lastMs + 1)));
}
