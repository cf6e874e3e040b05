/** The words that the modules share. */

export type Fields = Record<string, unknown>;

export type EventType = 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias';

/** One event as it goes over the wire: the Segment spec's shape. */
export interface TrackedEvent extends Fields {
  type: EventType;
  messageId: string;
  anonymousId: string;
  userId: string | null;
  timestamp: string;
  context: Fields;
}

/** What a caller may say about one event beside its content. */
export interface EventOptions {
  context?: Fields;
  integrations?: Fields;
  timestamp?: string | number | Date;
  anonymousId?: string;
  userId?: string;
}

/** What the server embeds in the loader. `endpoint` is a path on the script's own host, or a whole URL. */
export interface SiteConfig {
  endpoint?: string;
  writeKey?: string;
}

/** The second argument of `load`. `apiHost` is Segment's way to say it: host and version, without a scheme. */
export interface LoadOptions {
  endpoint?: string;
  apiHost?: string;
}
