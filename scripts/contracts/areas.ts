// The suites by area. An area is here when its suites exist.
import { properties } from './boundaries/properties.ts';
import { booking, trading } from './boundaries/service-cutter.ts';
import { shop } from './boundaries/shop/shop.ts';
import type { Contract } from './result.ts';
import { transactions } from './transactions/matrix.ts';
import { connectConformanceContract } from './wire/connect-conformance.ts';
import { counterparts } from './wire/counterparts.ts';
import { floods } from './wire/floods.ts';
import { grpcInterop } from './wire/grpc-interop.ts';
import { h2specContract } from './wire/h2spec.ts';
import { smuggling } from './wire/smuggling.ts';

/** What `npm run contracts -- <area>` runs. */
export const areas: Readonly<Record<string, readonly Contract[]>> = {
  boundaries: [booking, trading, properties, shop],
  transactions,
  wire: [h2specContract, grpcInterop, smuggling, floods, counterparts, connectConformanceContract],
};
