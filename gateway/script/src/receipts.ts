/** Tells the caller of one event when it is settled, so that `await analytics.track(...)` means something. */
import type { Signals } from './signals';

/** A page that waits for us must not hang when the server is away: the event is safe in the outbox by then. */
const PATIENCE_MS = 300;

/** Answers a function that promises the end of a message: delivered, dropped, or too slow to wait for. */
export function keepReceipts(signals: Signals): (id: string) => Promise<void> {
  const open = new Map<string, () => void>();
  const settle = (ids: string[]) => ids.forEach((id) => open.get(id)?.());
  signals.on('delivered', settle);
  signals.on('dropped', settle);
  return (id) =>
    new Promise<void>((resolve) => {
      open.set(id, resolve);
      setTimeout(resolve, PATIENCE_MS);
    }).finally(() => open.delete(id));
}
