import * as analytics from 'rudder-sdk-js';
import { tellInBrowser } from '../calls.mjs';

export async function run(job) {
  analytics.load(job.writeKey, job.host, { configUrl: job.host, ...job.options });
  tellInBrowser(analytics, job, 'originalTimestamp');
}
