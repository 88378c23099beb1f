import type { AddressSchema } from '../../gen/envoy/config/core/v3/address_pb.ts';
import type { LbEndpointSchema } from '../../gen/envoy/config/endpoint/v3/endpoint_components_pb.ts';
import { ClusterLoadAssignmentSchema } from '../../gen/envoy/config/endpoint/v3/endpoint_pb.ts';
import { HealthStatus } from '../../gen/envoy/config/core/v3/health_check_pb.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { Assignment, Locality, MeshEndpoint } from '../../model/endpoint.ts';
import type { XdsResource } from '../ads/resource.ts';
import { placed } from './locality.ts';
import { resource, type Init } from './message.ts';

const health: Readonly<Record<MeshEndpoint['health'], HealthStatus>> = {
  healthy: HealthStatus.HEALTHY,
  draining: HealthStatus.DRAINING,
  unhealthy: HealthStatus.UNHEALTHY,
  unknown: HealthStatus.UNKNOWN,
};

/** A cluster's endpoints for a client that runs at `from`. gRPC must be told a locality, though an empty one. */
export function endpointsResource(cluster: Cluster, assignment: Assignment, from: Locality): XdsResource {
  return resource(cluster.name, ClusterLoadAssignmentSchema, {
    clusterName: cluster.name,
    endpoints: placed(assignment, cluster.locality, from).map(
      ({ locality, priority, weight, endpoints }) => ({
        locality,
        priority,
        loadBalancingWeight: weight,
        lbEndpoints: endpoints.map(lbEndpoint),
      }),
    ),
  });
}

/** As `lb_endpoints` has it. */
export function lbEndpoint({
  address,
  port,
  weight,
  health: state,
  identity,
}: MeshEndpoint): Init<typeof LbEndpointSchema> {
  return {
    hostIdentifier: { case: 'endpoint', value: { address: socketAddress(address, port) } },
    healthStatus: health[state],
    loadBalancingWeight: weight,
    ...(identity !== '' && { metadata: speaksMeshTls }),
  };
}

/** As `Address` has it. */
export function socketAddress(address: string, port: number): Init<typeof AddressSchema> {
  return {
    address: {
      case: 'socketAddress',
      value: { address, portSpecifier: { case: 'portValue', value: port } },
    },
  };
}

/** What tells Envoy to use the cluster's TLS for an endpoint; the cluster's `transport_socket_matches` ask for it. */
export const tlsMark: { readonly tlsMode: string } = { tlsMode: 'mesh' };
const speaksMeshTls = { filterMetadata: { 'envoy.transport_socket_match': tlsMark } };
