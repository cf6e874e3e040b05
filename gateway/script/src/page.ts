/** What the browser tells about the page and the device. */
import type { Fields } from './types';

declare const __VERSION__: string;

export interface Page extends Fields {
  url: string;
  path: string;
  referrer: string;
  search: string;
  title: string;
}

export function describePage(): Page {
  const { href, pathname, search } = location;
  return { url: href.split('#')[0]!, path: pathname, referrer: document.referrer, search, title: document.title };
}

/** The `context` of an event that happens now. */
export function describeContext(): Fields {
  return {
    library: { name: 'headwater.js', version: __VERSION__ },
    page: describePage(),
    userAgent: navigator.userAgent,
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    campaign: describeCampaign(location.search),
  };
}

/** The utm_* parameters without their prefix, utm_campaign as `name`; undefined when there is none. */
export function describeCampaign(search: string): Fields | undefined {
  const campaign: Fields = {};
  new URLSearchParams(search).forEach((value, key) => {
    if (key.startsWith('utm_')) campaign[key === 'utm_campaign' ? 'name' : key.slice(4)] = value;
  });
  return Object.keys(campaign).length ? campaign : undefined;
}
