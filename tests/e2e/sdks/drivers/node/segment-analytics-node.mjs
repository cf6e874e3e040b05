import { Analytics } from '@segment/analytics-node';
import { tellOnServer } from '../calls.mjs';

export async function run(job) {
  const analytics = new Analytics({ writeKey: job.writeKey, host: job.host });
  tellOnServer(analytics, job);
  await analytics.closeAndFlush();
}
