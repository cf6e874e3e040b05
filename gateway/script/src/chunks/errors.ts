/** Errors that the page did not catch: each once, ten a page at most. */
import type { Tools } from '../chunks';

const MAX_ERRORS = 10;
const MAX_STACK_CHARACTERS = 2000;

export function start({ track }: Tools): void {
  const seen = new Set<string>();

  function tell(error: unknown, where: { source?: string; line?: number; column?: number }): void {
    const { message, name, stack } = error instanceof Error ? error : new Error(String(error));
    const key = message + where.source + where.line;
    if (seen.size >= MAX_ERRORS || seen.has(key)) return;
    seen.add(key);
    track('Error', { name, message, stack: error instanceof Error ? stack?.slice(0, MAX_STACK_CHARACTERS) : undefined, ...where });
  }

  addEventListener('error', ({ error, message, filename, lineno, colno }) =>
    tell(error ?? message, { source: filename, line: lineno, column: colno }),
  );
  addEventListener('unhandledrejection', ({ reason }) => tell(reason, {}));
}
