// The calls of a visit, as posthog-js spells them in both of its versions.

/** What comes first is anonymous, what comes last is another visitor's. */
export function tell(posthog, { host, writeKey, userId, anonymousId, options, story }) {
  const { seen, page, traits, order, group, screen, timestamp, left } = story;
  posthog.init(writeKey, {
    api_host: host,
    bootstrap: { distinctID: anonymousId },
    capture_pageview: false,
    opt_out_useragent_filter: true,
    request_queue_config: { flush_interval_ms: 250 },
    ...options,
  });
  posthog.capture(seen.event, seen.properties);
  posthog.capture('$pageview', { name: page.name, category: page.category, ...page.properties });
  posthog.identify(userId, traits);
  posthog.capture(order.event, order.properties, { timestamp: new Date(timestamp) });
  posthog.group('company', group.id, group.traits);
  posthog.capture('$screen', { $screen_name: screen.name, ...screen.properties });
  posthog.alias(anonymousId);
  posthog.reset();
  posthog.capture(left.event);
}
