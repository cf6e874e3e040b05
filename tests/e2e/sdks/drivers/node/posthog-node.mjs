import { PostHog } from 'posthog-node';

export async function run({ host, writeKey, userId: distinctId, anonymousId, options, story }) {
  const { seen, page, traits, order, group, screen, timestamp, context } = story;
  const posthog = new PostHog(writeKey, { host, ...options });
  const visitor = { $process_person_profile: false };
  const view = { $current_url: 'https://shop.example/boats', name: page.name, category: page.category };
  const whose = { $ip: context.ip, $user_agent: context.userAgent };
  posthog.capture({ distinctId: anonymousId, event: seen.event, properties: { ...seen.properties, ...visitor } });
  posthog.capture({
    distinctId: anonymousId,
    event: '$pageview',
    properties: { ...view, ...page.properties, ...visitor },
  });
  posthog.identify({ distinctId, properties: traits });
  posthog.capture({
    distinctId,
    event: order.event,
    properties: { ...order.properties, ...whose },
    timestamp: new Date(timestamp),
  });
  posthog.groupIdentify({ groupType: 'company', groupKey: group.id, properties: group.traits, distinctId });
  posthog.capture({
    distinctId,
    event: '$screen',
    properties: { $screen_name: screen.name, ...screen.properties },
  });
  posthog.alias({ distinctId, alias: anonymousId });
  await posthog.shutdown();
}
