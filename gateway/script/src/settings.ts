/** What the site's owner decided: the server writes it into the file, and the tag that loads the file may overrule it. */
import type { Settings } from './types';

/** The argument of the function that the build wraps around the script. */
declare const __SITE__: Settings;

/** Only readable while the script runs for the first time. */
const tag = document.currentScript as HTMLScriptElement | null;

export const settings: Settings = { ...__SITE__, ...tag?.dataset };

/** Features that work unless `off` names them. No name is part of another. */
export function isOn(feature: string): boolean {
  return !settings.off?.includes(feature);
}

/** Features that work only when `on` names them. */
export function isAsked(feature: string): boolean | undefined {
  return settings.on?.includes(feature);
}

/** A path is one on the host that this script came from. */
export function absolute(path: string): string {
  return new URL(path, tag?.src || location.href).href;
}
