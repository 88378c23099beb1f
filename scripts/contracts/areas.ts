// The suites by area. An area is here when its suites exist.
import type { Contract } from './result.ts';
import { grpcurlContract } from './calls/grpcurl.ts';
import { connectConformanceContract } from './wire/connect-conformance.ts';
import { counterparts } from './wire/counterparts.ts';
import { floods } from './wire/floods.ts';
import { grpcInterop } from './wire/grpc-interop.ts';
import { h2specContract } from './wire/h2spec.ts';
import { smuggling } from './wire/smuggling.ts';

/** What `npm run contracts -- <area>` runs. */
export const areas: Readonly<Record<string, readonly Contract[]>> = {
  calls: [grpcurlContract],
  wire: [h2specContract, grpcInterop, smuggling, floods, counterparts, connectConformanceContract],
};
