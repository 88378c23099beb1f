import type { experimental } from '@grpc/grpc-js';
import { hostPort, type Instance } from '@heddle/discovery';

/** An endpoint as grpc-js knows it, with the instance that it is: grpc-js hands it on to the balancer as it came. */
export interface InstanceEndpoint extends experimental.Endpoint {
  readonly instance: Instance;
}

/** The endpoint of an instance. */
export function endpointOf(instance: Instance): InstanceEndpoint {
  return { addresses: [{ host: instance.address, port: instance.port }], instance };
}

/** What distinguishes an endpoint from others: as long as it stays, so does the connection. */
export function keyOf(endpoint: experimental.Endpoint): string {
  return endpoint.addresses
    .map((at) => ('path' in at ? at.path : hostPort({ address: at.host, port: at.port })))
    .join(',');
}

/** The instance that an endpoint is, if it came from `discovery:`; others (`dns:`, `ipv4:`) name none. */
export function instanceOf(endpoint: experimental.Endpoint): Instance | undefined {
  return (endpoint as Partial<InstanceEndpoint>).instance;
}
