import posthog from 'posthog-js';
import { tell } from '../posthog.mjs';

export async function run(job) {
  tell(posthog, job);
}

/** An event after the story. */
export function more() {
  posthog.capture('Came Back');
}
