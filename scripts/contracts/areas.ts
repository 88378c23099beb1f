// The suites by area. An area is here when its suites exist.
import { dns } from './discovery/dns.ts';
import { embedded } from './discovery/embedded.ts';
import { etcdContract } from './discovery/etcd.ts';
import { kubernetes } from './discovery/kubernetes.ts';
import { xds } from './discovery/xds.ts';
import type { Contract } from './result.ts';
import { floods } from './wire/floods.ts';
import { grpcInterop } from './wire/grpc-interop.ts';
import { h2specContract } from './wire/h2spec.ts';
import { smuggling } from './wire/smuggling.ts';

/** What `npm run contracts -- <area>` runs. */
export const areas: Readonly<Record<string, readonly Contract[]>> = {
  discovery: [embedded, etcdContract, kubernetes, dns, xds],
  wire: [h2specContract, grpcInterop, smuggling, floods],
};
