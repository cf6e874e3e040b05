/**
 * What visitors do without the page calling us: links away, downloads, forms, and elements that say `data-track`. One
 * listener on the document, in the capture phase, which looks and touches nothing: no navigation is held up.
 */
import { isOn, settings } from './settings';
import { listen } from './signals';
import type { Fields } from './types';

export type Track = (event: string, properties: Fields) => unknown;

const DOWNLOAD = new RegExp(`\\.(${settings.downloads})$`, 'i');

export function followClicks(track: Track): void {
  listen('click auxclick submit', (event: MouseEvent) => {
    if (event.button > 1) return; // a right click opens a menu
    for (const element of event.composedPath() as HTMLAnchorElement[]) {
      const { dataset, localName } = element;
      const isForm = localName === 'form';
      if (!dataset || isForm !== (event.type === 'submit')) continue;
      if (dataset.track && isOn('attributes')) track(dataset.track, declared(dataset));
      if (isForm && isOn('forms')) track('Form Submitted', describeForm(element));
      if (localName === 'a') follow(element, track);
    }
  });
}

/** `data-track-plan="pro"` is the property `plan`. */
function declared(dataset: DOMStringMap): Fields {
  const properties: Fields = {};
  for (const key in dataset) if (/^track[A-Z]/.test(key)) properties[key[5]!.toLowerCase() + key.slice(6)] = dataset[key];
  return properties;
}

/** Its own attributes and never its fields, whose names may also hide the form's own properties. */
function describeForm(form: Element): Fields {
  const properties: Fields = {};
  for (const name of ['id', 'name', 'action']) properties[name] = form.getAttribute(name);
  return properties;
}

function follow(link: HTMLAnchorElement, track: Track): void {
  const { href: url, hostname, pathname } = link;
  const extension = DOWNLOAD.exec(pathname)?.[1];
  if (isOn('downloads') && (extension || link.hasAttribute('download'))) track('File Downloaded', { url, extension });
  // Neither javascript: nor no address at all, nor that of SVG, which is an object.
  else if (isOn('links') && /^[^j[]/.test(url) && hostname !== location.hostname) track('Link Clicked', { url });
}
