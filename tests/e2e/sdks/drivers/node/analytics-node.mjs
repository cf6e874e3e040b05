import Analytics from 'analytics-node';
import { tellOnServer } from '../calls.mjs';

export async function run(job) {
  // Without a handler, a batch that was given up is a rejected promise of nobody's, and node ends.
  const errorHandler = () => {};
  const analytics = new Analytics(job.writeKey, { host: job.host, errorHandler });
  tellOnServer(analytics, job);
  await analytics.flush();
}
