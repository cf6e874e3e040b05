/** Tells the caller of one event when it is settled, so that `await analytics.track(...)` means something. */

/** A page that waits for us must not hang when the server is away: the event is safe in the outbox by then. */
const PATIENCE_MS = 300;
const open: Record<string, () => void> = {};

/** Settles when `settle` is called for the message, or when that takes too long to wait for. */
export function settled(id: string): Promise<void> {
  return new Promise((resolve) => setTimeout((open[id] = resolve), PATIENCE_MS));
}

export function settle(id: string): void {
  open[id]?.();
  delete open[id];
}
