/** Segment's loose call signatures, made strict: leading words, then up to two objects, then a callback. */
import type { EventOptions, Fields } from './types';

export type Call = [
  words: (string | undefined)[],
  fields: Fields,
  options: EventOptions,
  callback: ((event: Fields) => unknown) | undefined,
];

/** Reads `(word..., fields?, options?, callback?)` with at most `maxWords` words, any of which may be left out. */
export function readCall(args: unknown[], maxWords: number): Call {
  const words: Call[0] = [];
  const callback = args.find(isFunction);
  args = args.filter((arg) => !isFunction(arg));
  while (maxWords-- && args.length && !isObject(args[0])) words.push(toWord(args.shift()));
  const [fields = {}, options = {}] = args.map((arg) => (isObject(arg) ? arg : {}));
  return [words, fields, options, callback];
}

/** Ids and names are strings on the wire; what says nothing is left out. */
function toWord(value: any): string | undefined {
  return value || value === 0 ? String(value) : undefined;
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

export function isFunction(value: unknown): value is (...args: any[]) => unknown {
  return typeof value === 'function';
}
