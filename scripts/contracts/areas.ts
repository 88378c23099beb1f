// The suites by area. An area is here when its suites exist.
import { postgresEventStore } from './eventstore/postgres.ts';
import { memoryMessaging } from './messaging/memory.ts';
import { natsMessaging } from './messaging/nats.ts';
import { postgresMessaging } from './messaging/postgres.ts';
import { redisMessaging } from './messaging/redis.ts';
import type { Contract } from './result.ts';
import { floods } from './wire/floods.ts';
import { grpcInterop } from './wire/grpc-interop.ts';
import { h2specContract } from './wire/h2spec.ts';
import { smuggling } from './wire/smuggling.ts';

/** What `npm run contracts -- <area>` runs. */
export const areas: Readonly<Record<string, readonly Contract[]>> = {
  eventstore: [postgresEventStore],
  messaging: [memoryMessaging, postgresMessaging, redisMessaging, natsMessaging],
  wire: [h2specContract, grpcInterop, smuggling, floods],
};
