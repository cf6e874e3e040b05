/** A random UUID, version 4. Made by hand: `crypto.randomUUID` is missing on pages without TLS. */
export function uuid(): string {
  const digit = () => (crypto.getRandomValues(new Uint8Array(1))[0]! % 16).toString(16);
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, digit);
}

let lastMs = 0;

/**
 * A UUID of version 7, which begins with its time. Each is later than the one before: events of one millisecond keep
 * their order when they are sorted by id.
 */
export function messageId(): string {
  lastMs = Math.max(Date.now(), lastMs + 1);
  return `0${lastMs.toString(16)}-7`.replace(/.{4}-/, '-$&') + uuid().slice(15);
}
