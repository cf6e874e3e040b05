/**
 * Takes a visitor's identity along to another site of the same owner, in the address of the link. The server signs it
 * for two minutes; it is asked for when the pointer comes near a link, so that a click never waits.
 */
import type { Tools } from '../chunks';
import type { Fields } from '../types';

const PARAMETER = '_hw';
const FRESH_MS = 90_000;
const PLAIN_AGAIN_MS = 500;

let token: unknown;
let askedMs = -FRESH_MS;

export function start({ ask, linkerHosts }: Tools): void {
  function linkOf(event: Event): HTMLAnchorElement | undefined {
    const nodes = event.composedPath() as HTMLAnchorElement[];
    return nodes.find(({ localName, hostname }) => localName === 'a' && linkerHosts!.split(' ').includes(hostname));
  }

  /** The pointer, a finger or the focus comes near. */
  async function prepare(event: Event): Promise<void> {
    if (!linkOf(event) || isFresh()) return;
    askedMs = performance.now();
    token = ((await ask({ wants: 'link' })) as Fields).link;
  }

  /** Only the address changes, and only until the browser has followed it. */
  function decorate(event: Event): void {
    const link = linkOf(event);
    if (!link || !token || !isFresh()) return;
    const plain = link.href;
    const url = new URL(plain);
    url.searchParams.set(PARAMETER, token as string);
    link.href = url.href;
    setTimeout(() => link.href === url.href && (link.href = plain), PLAIN_AGAIN_MS);
  }

  for (const type of ['pointerover', 'focusin', 'touchstart']) addEventListener(type, prepare, { capture: true, passive: true });
  for (const type of ['click', 'auxclick']) addEventListener(type, decorate, true);
}

function isFresh(): boolean {
  return performance.now() - askedMs < FRESH_MS;
}
