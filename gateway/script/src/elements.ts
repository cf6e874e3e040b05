/** Segment's `trackLink` and `trackForm`, without their delay: delivery outlives the page. */
import { isFunction } from './call';

/** Calls `track` when one of `elements` has an event of `type`; name and properties may be functions of the element. */
export function trackElements(type: string, track: (...args: any[]) => unknown, elements?: any, ...told: unknown[]): void {
  for (const element of elements?.addEventListener ? [elements] : (elements ?? [])) {
    element.addEventListener(type, () => track(...told.map((each) => (isFunction(each) ? each(element) : each))), true);
  }
}
