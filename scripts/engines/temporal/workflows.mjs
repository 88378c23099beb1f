// Three steps that do nothing, one after another. Temporal bundles this file and runs it in a context of its own.
import { proxyActivities } from '@temporalio/workflow';

const { step } = proxyActivities({ startToCloseTimeout: '10s' });

export async function three(total) {
  return total + (await step(1)) + (await step(2)) + (await step(3));
}
