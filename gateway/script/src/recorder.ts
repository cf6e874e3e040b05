/** Makes events: who, when, where; then what the call said; then what the page's middleware makes of it. */
import { touches } from './attribution';
import type { Call } from './call';
import { describeConsent, mayRecord } from './consent';
import { enqueue, wake } from './delivery';
import { anonymousId, person } from './identity';
import { messageId } from './ids';
import { describeContext } from './page';
import { settled } from './receipts';
import { continueSession } from './session';
import { emit, quietly } from './signals';
import type { EventOptions, EventType, Fields, TrackedEvent } from './types';

const MAX_HELD = 50;

/** Segment's form: it hands the event on by calling `next`, changed or not, or never. */
type Middleware = (step: { payload: { obj: TrackedEvent }; next: (payload: { obj: TrackedEvent } | null) => void }) => unknown;

const middlewares: Middleware[] = [];
/** Events that happened before the visitor was asked. */
const held: TrackedEvent[] = [];

export function addSourceMiddleware(middleware: Middleware): void {
  middlewares.push(middleware);
}

/** `content` holds what is special to the type. The promise settles with the event; see receipts. */
export async function record(type: EventType, content: Fields, options: EventOptions, callback: Call[3]): Promise<TrackedEvent> {
  const { userId, groupId } = person();
  const event: TrackedEvent = {
    type,
    messageId: messageId(),
    anonymousId: anonymousId(),
    userId,
    ...options,
    timestamp: toDate(options.timestamp),
    context: { ...describeContext(), ...continueSession(), groupId, ...options.context },
    ...content,
  };
  const end = settled(event.messageId);
  quietly(pass, event, 0);
  if (callback) wake(0);
  await end;
  if (callback) quietly(callback, event);
  return event;
}

function pass(event: TrackedEvent, at: number): void {
  const middleware = middlewares[at];
  if (!middleware) return take(event);
  const next = (payload: { obj: TrackedEvent } | null) => payload && pass(payload.obj, at + 1);
  quietly(middleware, { payload: { obj: event }, next });
}

function take(event: TrackedEvent): void {
  const may = mayRecord();
  if (may) {
    enqueue(event.messageId, JSON.stringify(event));
    emit('queued', event);
  } else if (may === undefined && held.length < MAX_HELD) held.push(event);
}

/** The visitor has answered: what was held goes on its way with that answer, or is forgotten. */
export function releaseHeld(): void {
  held.splice(0).forEach((event) => {
    event.context.consent = describeConsent();
    event.context.attribution = touches();
    take(event);
  });
}

/** A time that the caller got wrong must not cost the event. */
function toDate(time: string | number | Date | undefined): Date {
  const at = new Date(time ?? NaN);
  return at >= at ? at : new Date(); // one that is none is not even itself
}
