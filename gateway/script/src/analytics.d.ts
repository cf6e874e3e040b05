/** What pages may call: `window.analytics` once the script is there. Argument orders are Segment's. */

export type Fields = Record<string, unknown>;

export interface EventOptions {
  context?: Fields;
  integrations?: Record<string, boolean | Fields>;
  timestamp?: string | number | Date;
  anonymousId?: string;
  userId?: string;
}

/** An event as it is sent, in the Segment spec's shape. */
export interface TrackedEvent extends Fields {
  type: 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias';
  messageId: string;
  anonymousId: string;
  userId?: string;
  timestamp: Date;
  context: Fields;
}

export type Callback = (event: TrackedEvent) => void;

/** Settles when the event is stored or refused, or after 300 ms: whoever waits for it never hangs. */
export type Recorded = Promise<TrackedEvent>;

/** By category: `analytics` decides whether anything is recorded, `marketing` whether clicks on ads are kept. */
export type Consent = Record<string, boolean>;

type Told<T> = T | ((element: Element) => T);
type Elements = Element | ArrayLike<Element> | null | undefined;

export interface Analytics {
  track(event: string, properties?: Fields | null, options?: EventOptions, callback?: Callback): Recorded;
  track(event: string, properties: Fields | null, callback: Callback): Recorded;
  track(event: string, callback: Callback): Recorded;
  page(name?: string, properties?: Fields | null, options?: EventOptions, callback?: Callback): Recorded;
  page(category: string, name: string, properties?: Fields | null, options?: EventOptions, callback?: Callback): Recorded;
  page(properties: Fields): Recorded;
  screen(name?: string, properties?: Fields | null, options?: EventOptions, callback?: Callback): Recorded;
  screen(category: string, name: string, properties?: Fields | null, options?: EventOptions, callback?: Callback): Recorded;
  identify(userId: string | number, traits?: Fields | null, options?: EventOptions, callback?: Callback): Recorded;
  identify(traits: Fields): Recorded;
  group(groupId: string | number, traits?: Fields | null, options?: EventOptions, callback?: Callback): Recorded;
  alias(userId: string | number, previousId?: string | number, options?: EventOptions, callback?: Callback): Recorded;
  /** Forgets the person; what follows is someone new, also to the server. */
  reset(): void;
  /** Grants and withdraws, and says what holds. Without an argument it only says. */
  consent(change?: Consent | boolean): Consent;
  user(): { id(): string | null; traits(): Fields; anonymousId(id?: string): string };
  setAnonymousId(id: string): string;
  trackLink(elements: Elements, event: Told<string>, properties?: Told<Fields>): void;
  trackForm(elements: Elements, event: Told<string>, properties?: Told<Fields>): void;
  /** May change each event, and drops those that it does not hand on. */
  addSourceMiddleware(middleware: (step: { payload: { obj: TrackedEvent }; next(payload: { obj: TrackedEvent } | null): void }) => void): void;
  on(hook: 'delivered', listener: (messageIds: string[]) => void): void;
  on(hook: 'dropped', listener: (messageIds: string[], reason: string) => void): void;
  on(hook: 'retrying', listener: (messageIds: string[], seconds: number) => void): void;
  on(hook: 'queued', listener: (event: TrackedEvent) => void): void;
  on(hook: 'consent', listener: (consent: Consent) => void): void;
  on(hook: TrackedEvent['type'] | 'reset', listener: (...args: any[]) => void): void;
  ready(listener: () => void): void;
  /** Sends what waits, at once. Settles when nothing is left or an attempt failed. */
  flush(): Promise<void>;
}

declare global {
  interface Window {
    analytics: Analytics;
  }
  const analytics: Analytics;
}
