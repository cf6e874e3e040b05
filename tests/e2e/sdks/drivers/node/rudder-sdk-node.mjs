import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { tellOnServer } from '../calls.mjs';

export async function run(job) {
  // Without a handler, a batch that was given up is a rejected promise of nobody's, and node ends.
  const errorHandler = () => {};
  const analytics = new RudderAnalytics(job.writeKey, { dataPlaneUrl: job.host, errorHandler, ...job.options });
  tellOnServer(analytics, job);
  await analytics.flush();
}
