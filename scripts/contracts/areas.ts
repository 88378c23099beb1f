// The suites by area. An area is here when its suites exist.
import { consulContract } from './discovery/consul.ts';
import { embedded } from './discovery/embedded.ts';
import { etcdContract } from './discovery/etcd.ts';
import type { Contract } from './result.ts';
import { floods } from './wire/floods.ts';
import { grpcInterop } from './wire/grpc-interop.ts';
import { h2specContract } from './wire/h2spec.ts';
import { smuggling } from './wire/smuggling.ts';

/** What `npm run contracts -- <area>` runs. */
export const areas: Readonly<Record<string, readonly Contract[]>> = {
  discovery: [embedded, consulContract, etcdContract],
  wire: [h2specContract, grpcInterop, smuggling, floods],
};
