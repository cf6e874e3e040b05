/** Segment's query parameters: a link that says who comes and what happened. Off unless the owner asks for it. */
import type { Api } from './api';
import { parameters } from './attribution';

export function obeyQuery(api: Api): void {
  const { aid, uid, event } = parameters(/^ajs_(.+)/) ?? {};
  if (aid) api.setAnonymousId!(aid);
  if (uid) api.identify!(uid, parameters(/^ajs_trait_(.+)/));
  if (event) api.track!(event, parameters(/^ajs_prop_(.+)/));
}
