/** What the browser tells about the page and the device. */
import { describeCampaign, touches } from './attribution';
import { describeConsent } from './consent';
import { isOn } from './settings';
import type { Fields } from './types';

declare const __VERSION__: string;

export interface Page extends Fields {
  url: string;
  path: string;
  referrer: string;
  search: string;
  title: string;
}

let referrer = document.referrer;

/** In an app of one page, the referrer of a view is the view before it. */
export function cameFrom(page: Page): void {
  referrer = page.url;
}

export function describePage(): Page {
  const { href, pathname, search } = location;
  return { url: href.split('#')[0]!, path: pathname, referrer, search, title: document.title };
}

/** The `context` of an event that happens now. */
export function describeContext(): Fields {
  return {
    library: { name: 'headwater.js', version: __VERSION__ },
    page: describePage(),
    userAgent: navigator.userAgent,
    // Its JSON has just the hints that every site gets without asking: brands, mobile, platform.
    userAgentData: isOn('hints') ? (navigator as { userAgentData?: object }).userAgentData : undefined,
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    campaign: describeCampaign(),
    attribution: touches(),
    consent: describeConsent(),
  };
}
