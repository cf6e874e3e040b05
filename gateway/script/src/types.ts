/** The words that the modules share. What pages see of it is in analytics.d.ts. */

export type Fields = Record<string, unknown>;

export type EventType = 'track' | 'page' | 'screen' | 'identify' | 'group' | 'alias';

/** One event as it goes over the wire: the Segment spec's shape. */
export interface TrackedEvent extends Fields {
  type: EventType;
  messageId: string;
  anonymousId: string;
  userId: string | undefined;
  timestamp: Date;
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

/** What the server embeds in the loader, and what `data-` attributes of the tag may say instead. */
export interface Settings {
  writeKey?: string;
  /** A path on the script's own host, or a whole URL. */
  endpoint?: string;
  /** Features that are not wanted, in one string: page history links downloads forms attributes engagement ... */
  off?: string;
  /** Features that are wanted though they are off by default: query dnt. */
  on?: string;
  /** `consent`: nothing happens before it is granted. `cookieless`: nothing is kept on the device before it is. */
  mode?: 'consent' | 'cookieless';
  /** Extensions of files that are downloads, and parameters that name a click on an advertisement; `|` between them. */
  downloads?: string;
  clickIds?: string;
  /** Hosts that are no referrers: the site's own, and those that it sends its visitors to. */
  ownHosts?: string;
  /** Hosts whose pages may learn who comes to them. */
  linkerHosts?: string;
  /** Paths of modules that are loaded once the page has time. */
  chunks?: string[];
  /** The name that pages know us by; `analytics` when it is missing. */
  global?: string;
}
