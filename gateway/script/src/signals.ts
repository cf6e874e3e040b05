/** Hooks for the page: what listeners do wrong is theirs alone. */
type Listener = (...args: any[]) => unknown;

const listeners: [string, Listener][] = [];

export function on(name: string, listener: Listener): void {
  listeners.push([name, listener]);
}

export function emit(name: string, ...args: unknown[]): void {
  for (const [wanted, listener] of listeners) if (wanted === name) quietly(listener, ...args);
}

/** Hears of events of these types before the page does, wherever they happen, and never fails in the page's sight. */
export function listen(types: string, act: (event: any) => unknown): void {
  for (const type of types.split(' ')) addEventListener(type, (event) => attempt(() => act(event)), true);
}

/** Calls what the page handed in; its errors go to the console instead of into our flow. */
export function quietly(listener: Listener, ...args: unknown[]): unknown {
  try {
    return listener(...args);
  } catch (error) {
    console.error(error);
  }
}

/** The answer, or undefined where the browser refuses: storage and the like throw for reasons that no page foresees. */
export function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
