/** Google's Core Web Vitals and their companions, each told once it is final: by then the page may be on its way out. */
import { onCLS, onFCP, onINP, onLCP, onTTFB } from 'web-vitals';
import type { Tools } from '../chunks';

export function start({ track }: Tools): void {
  for (const watch of [onCLS, onFCP, onINP, onLCP, onTTFB]) {
    watch(({ name, value, rating, navigationType }) => track('Web Vital', { metric: name, value, rating, navigation_type: navigationType }));
  }
}
