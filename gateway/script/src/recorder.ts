/** Makes events: who, when, where; then what the call said. */
import type { Call } from './call';
import type { Delivery } from './delivery';
import type { Identity } from './identity';
import { describeContext } from './page';
import { keepReceipts } from './receipts';
import { quietly, type Signals } from './signals';
import type { EventType, Fields, TrackedEvent } from './types';

export interface Recorder {
  /** `content` holds what is special to the type. The promise settles with the event; see receipts. */
  record(type: EventType, content: Fields, call: Call): Promise<TrackedEvent>;
}

export interface RecorderParts {
  identity: Identity;
  delivery: Delivery;
  signals: Signals;
  nextMessageId: () => string;
}

export function createRecorder({ identity, delivery, signals, nextMessageId }: RecorderParts): Recorder {
  const settled = keepReceipts(signals);
  let lost = 0;
  signals.on('dropped', (ids: string[]) => (lost += ids.length));

  function describe(type: EventType, content: Fields, { options }: Call): TrackedEvent {
    const { userId, groupId } = identity.person();
    return {
      type,
      messageId: nextMessageId(),
      anonymousId: options.anonymousId ?? identity.anonymousId(),
      userId: options.userId ?? userId ?? null,
      timestamp: toIso(options.timestamp),
      // `dropped` says how many events this page lost since the one before.
      context: { ...describeContext(), groupId, dropped: lost || undefined, ...options.context },
      integrations: options.integrations,
      ...content,
    };
  }

  async function record(type: EventType, content: Fields, call: Call): Promise<TrackedEvent> {
    const event = describe(type, content, call);
    const json = JSON.stringify(event);
    const end = settled(event.messageId);
    lost = 0;
    delivery.enqueue(event.messageId, json);
    signals.emit('queued', event);
    if (call.callback) delivery.hurry();
    await end;
    if (call.callback) quietly(call.callback, event);
    return event;
  }

  return { record };
}

/** A time that the caller got wrong must not cost the event. */
function toIso(time: string | number | Date | undefined): string {
  const at = new Date(time ?? NaN);
  return (isNaN(+at) ? new Date() : at).toISOString();
}
