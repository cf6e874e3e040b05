/** What brought the visitor here: now, first and last. */
import { mayMarket } from './consent';
import { isOn, settings } from './settings';
import { attempt } from './signals';
import { read, remove, write } from './store';
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

/** How the visitor came to this page. An app may have another address by the time the visitor agrees to its being kept. */
const last = {
  url: location.origin + location.pathname,
  referrer: document.referrer,
  campaign: describeCampaign(),
  clickIds: parameters(CLICK_ID),
  at: new Date(),
};

/** Notes a way in: this page has a campaign, or the visitor comes from elsewhere. A visitor who refuses has none. */
export function noteTouch(): void {
  if (!mayMarket() || !isOn('attribution')) remove('touch');
  else if (last.campaign || last.clickIds || isForeign()) write('touch', { first: last, ...touches(), last });
}

/** `first` and `last`, each with `campaign`, `clickIds`, `referrer`, `url` and `at`. */
export function touches(): Fields | undefined {
  return read('touch');
}

/** Whether the referrer is neither this host nor one that the owner calls his own, like a payment page. */
function isForeign(): boolean | undefined {
  const own = [location.hostname, ...(settings.ownHosts?.split(' ') ?? [])];
  return attempt(() => !own.some((host) => ('.' + new URL(last.referrer).hostname).endsWith('.' + host)));
}
