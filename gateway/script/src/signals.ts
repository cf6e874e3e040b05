/** Hooks for the page: what listeners do wrong is theirs alone. */
type Listener = (...args: any[]) => unknown;

export interface Signals {
  on(name: string, listener: Listener): void;
  emit(name: string, ...args: unknown[]): void;
}

export function createSignals(): Signals {
  const listeners: [string, Listener][] = [];
  return {
    on: (name, listener) => void listeners.push([name, listener]),
    emit(name, ...args) {
      for (const [wanted, listener] of listeners) if (wanted === name) quietly(listener, ...args);
    },
  };
}

/** Calls what the page handed in; its errors go to the console instead of into our flow. */
export function quietly(listener: Listener, ...args: unknown[]): void {
  try {
    listener(...args);
  } catch (error) {
    console.error(error);
  }
}
