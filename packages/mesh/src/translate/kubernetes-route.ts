import type { ResourceOf } from '../resources/index.ts';

/** A route of the Gateway API. */
export type KubernetesRoute = ResourceOf<'HTTPRoute'> | ResourceOf<'GRPCRoute'>;
