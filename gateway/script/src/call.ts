/** Segment's loose call signatures, made strict: leading words, then up to two objects, then a callback. */
import type { EventOptions, Fields } from './types';

export interface Call {
  words: (string | undefined)[];
  fields: Fields;
  options: EventOptions;
  callback: ((event: Fields) => unknown) | undefined;
}

/** Reads `(word..., fields?, options?, callback?)` with at most `maxWords` words, any of which may be left out. */
export function readCall(args: unknown[], maxWords: number): Call {
  const end = args.slice(0, maxWords).findIndex((arg) => isObject(arg) || isFunction(arg));
  const wordCount = end < 0 ? maxWords : end;
  const [fields, options] = args.slice(wordCount).filter((arg) => !isFunction(arg));
  return {
    words: args.slice(0, wordCount).map(toWord),
    fields: isObject(fields) ? fields : {},
    options: isObject(options) ? options : {},
    callback: args.find(isFunction),
  };
}

/** Ids and names are strings on the wire; what says nothing is left out. */
function toWord(value: unknown): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : String(value);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isFunction(value: unknown): value is (event: Fields) => unknown {
  return typeof value === 'function';
}
