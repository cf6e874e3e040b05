/** A random UUID, version 4. Made by hand: `crypto.randomUUID` is missing on pages without TLS. */
export function uuid(version = 4, digits = ''): string {
  const random = crypto.getRandomValues(new Uint8Array(32));
  let at = -1;
  return `xxxxxxxx-xxxx-${version}xxx-8xxx-xxxxxxxxxxxx`.replace(/x/g, () => digits[++at] ?? (random[at]! % 16).toString(16));
}

let lastMs = 0;

/**
 * A UUID of version 7, which begins with its time. Each is later than the one before: events of one millisecond keep
 * their order when they are sorted by id.
 */
export function messageId(): string {
  lastMs = Math.max(Date.now(), lastMs + 1);
  return uuid(7, lastMs.toString(16).padStart(12, '0'));
}
