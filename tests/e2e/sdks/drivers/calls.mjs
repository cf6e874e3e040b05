// The calls of a visit, as the SDKs of a family spell them. A driver has what differs: how its SDK is made and flushed.

/** The servers' form, of Segment and of RudderStack: one object. */
export function tellOnServer(analytics, { userId, anonymousId, story }) {
  const { seen, page, traits, order, group, screen, timestamp, integrations, context } = story;
  analytics.track({ anonymousId, ...seen });
  analytics.page({ anonymousId, ...page });
  analytics.identify({ userId, anonymousId, traits });
  analytics.track({ userId, anonymousId, ...order, timestamp: new Date(timestamp), integrations, context });
  analytics.group({ userId, groupId: group.id, traits: group.traits });
  analytics.screen({ userId, ...screen });
  analytics.alias({ userId, previousId: anonymousId });
}

/**
 * Analytics.js: arguments in a row. What comes first is anonymous, what comes last is another visitor's.
 * `clock` is what the SDK calls the time of an event.
 */
export function tellInBrowser(analytics, { userId, anonymousId, story }, clock) {
  const { seen, page, traits, order, group, screen, timestamp, integrations, context, left } = story;
  const options = { [clock]: timestamp, integrations, context: { experiment: context.experiment } };
  analytics.setAnonymousId(anonymousId);
  analytics.track(seen.event, seen.properties);
  analytics.page(page.category, page.name, page.properties);
  analytics.identify(userId, traits);
  analytics.track(order.event, order.properties, options);
  analytics.group(group.id, group.traits);
  analytics.screen?.(screen.name, screen.properties);
  analytics.alias(userId, anonymousId);
  analytics.reset();
  analytics.track(left.event);
}
