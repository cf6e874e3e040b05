/**
 * Strings kept on the device; in memory where the visitor has not agreed to that, or the browser refuses (blocked,
 * sandboxed, full). Never throws.
 */
import { attempt } from './signals';

const PREFIX = 'hw_';
let box: Record<string, string> = {};

/** Moves what was in memory to the device, or from now on leaves the device alone. */
export function useDevice(isAllowed: unknown): void {
  const old = keys('').map((key) => [key, get(key)!] as const);
  box = ((isAllowed && attempt(() => localStorage)) as typeof box) || {};
  for (const each of old) set(...each);
}

export function get(key: string): string | undefined {
  return attempt(() => box[PREFIX + key]);
}

/** The value that was stored as JSON, or `fallback`: another script may have written there. */
export function read<T>(key: string, fallback?: T): T {
  return attempt(() => JSON.parse(get(key)!)) || fallback;
}

export function set(key: string, value: string): void {
  try {
    box[PREFIX + key] = value;
  } catch {
    box = { ...box, [PREFIX + key]: value }; // full: this page goes on in memory
  }
}

export function write(key: string, value: unknown): void {
  set(key, JSON.stringify(value));
}

export function remove(key: string): void {
  attempt(() => delete box[PREFIX + key]);
}

/** What follows `prefix` in the keys that begin with it, sorted. */
export function keys(prefix: string): string[] {
  prefix = PREFIX + prefix;
  const all = attempt(() => Object.keys(box)) ?? [];
  return all.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)).sort();
}

/** Removes all that is ours. */
export function erase(): void {
  keys('').forEach(remove);
}
