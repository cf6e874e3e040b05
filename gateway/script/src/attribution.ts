/** What brought the visitor here: now, first and last. */
import { mayMarket } from './consent';
import { isOn, settings } from './settings';
import { attempt } from './signals';
import { read, write } from './store';
import type { Fields } from './types';

const CLICK_ID = new RegExp(`^(${settings.clickIds})$`);

/** The parameters of this page's address that match, by the match's first group; undefined when there is none. */
export function parameters(name: RegExp): Fields | undefined {
  let found: Fields | undefined;
  new URLSearchParams(location.search).forEach((value, key) => {
    const match = name.exec(key);
    if (match) (found ??= {})[match[1]!] = value;
  });
  return found;
}

/** The utm_* parameters of this page without their prefix, utm_campaign as `name`. */
export function describeCampaign(): Fields | undefined {
  const campaign = parameters(/^utm_(.+)/);
  return campaign && { name: campaign.campaign, ...campaign, campaign: undefined };
}

/** Notes that this page is a way in: it has a campaign, or the visitor comes from elsewhere. */
export function noteTouch(): void {
  const { referrer } = document;
  const last = { campaign: describeCampaign(), clickIds: parameters(CLICK_ID), referrer, url: location.href.split('?')[0], at: new Date() };
  const isTouch = last.campaign || last.clickIds || isForeign(referrer);
  if (isTouch && mayMarket() && isOn('attribution')) write('touch', { first: last, ...touches(), last });
}

/** `first` and `last`, each with `campaign`, `clickIds`, `referrer`, `url` and `at`. */
export function touches(): Fields | undefined {
  return mayMarket() ? read('touch', undefined) : undefined;
}

/** Whether a referrer is neither this host nor one that the owner calls his own, like a payment page. */
function isForeign(referrer: string): boolean | undefined {
  const own = [location.hostname, ...(settings.ownHosts?.split(' ') ?? [])];
  return attempt(() => !own.some((host) => ('.' + new URL(referrer).hostname).endsWith('.' + host)));
}
