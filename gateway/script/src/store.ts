/** Strings kept on the device; in memory where the browser refuses (blocked, sandboxed, full). Never throws. */
export interface Store {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

export function openStore(): Store {
  const memory = new Map<string, string>();
  const disk = attempt(() => localStorage);
  return {
    get: (key) => memory.get(key) ?? attempt(() => disk!.getItem(key)) ?? null,
    set(key, value) {
      // A value that the disk refuses (quota) must not be shadowed by, or shadow, an older one.
      const stored = attempt(() => (disk!.setItem(key, value), true));
      if (stored) memory.delete(key);
      else memory.set(key, value);
    },
    remove(key) {
      memory.delete(key);
      attempt(() => disk!.removeItem(key));
    },
    keys: () => [...memory.keys(), ...(attempt(() => Object.keys(disk!)) ?? [])],
  };
}

/** The cookie's value, or undefined when it is absent, unreadable, or cookies are denied. */
export function readCookie(name: string): string | undefined {
  return attempt(() => {
    const pair = document.cookie.split('; ').find((each) => each.startsWith(name + '='));
    return pair && decodeURIComponent(pair.slice(name.length + 1));
  });
}

/** Lasts one year, for this host alone. */
export function writeCookie(name: string, value: string): void {
  const secure = location.protocol === 'https:' ? ';Secure' : '';
  attempt(() => (document.cookie = `${name}=${encodeURIComponent(value)};Path=/;Max-Age=31536000;SameSite=Lax${secure}`));
}

/** Storage throws for reasons that no page can foresee (policy, sandbox, quota, a busy disk): all mean "not now". */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
