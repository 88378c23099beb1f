import {
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
  ClusterSchema,
} from '../../gen/envoy/config/cluster/v3/cluster_pb.ts';
import type { OutlierDetectionSchema } from '../../gen/envoy/config/cluster/v3/outlier_detection_pb.ts';
import type { Cluster, OutlierLimits } from '../../model/cluster.ts';
import type { Assignment } from '../../model/endpoint.ts';
import type { XdsResource } from '../ads/resource.ts';
import { identitiesOf } from './cluster.ts';
import { duration, resource, type Init } from './message.ts';
import type { Report } from './plane.ts';
import { meshUpstreamTls, overAds } from './tls.ts';

/** A cluster as gRPC's clients have it; undefined where they cannot have it. Each thing that they cannot do is reported. */
export function grpcClusterResource(
  cluster: Cluster,
  assignment: Assignment | undefined,
  report: Report,
): XdsResource | undefined {
  const { name, origin, balance, tls } = cluster;
  const missing = (what: string, instead: string): void => report({ plane: 'grpc', origin, what, instead });
  if (cluster.source !== 'endpoints') {
    missing(`a cluster by ${cluster.source}`, 'it is not there for clients of gRPC');
    return undefined;
  }
  const isRing = balance.policy === 'ring_hash' || balance.policy === 'maglev';
  if (balance.policy !== 'round_robin' && balance.policy !== 'ring_hash')
    missing(`balance ${balance.policy}`, isRing ? 'ring_hash' : 'round_robin');
  if (balance.warmUp !== undefined) missing('warm-up', 'newcomers get their full share at once');
  const { maxConnections, maxPendingRequests, maxRequestsPerConnection, maxRequests } = cluster.pool;
  if ((maxConnections ?? maxPendingRequests ?? maxRequestsPerConnection) !== undefined)
    missing('limits of connections and of what waits', 'only the number of requests is limited');
  if (tls.mode === 'tls') missing('TLS of the outside world', 'plaintext');
  const identities = identitiesOf(assignment);
  const names = tls.mode === 'mesh' && tls.names.length > 0 ? tls.names : identities;
  const isMesh = tls.mode === 'mesh' || (tls.mode === 'auto' && identities.length > 0);
  return resource(
    name,
    ClusterSchema,
    {
      name,
      clusterDiscoveryType: { case: 'type', value: DiscoveryType.EDS },
      edsClusterConfig: { edsConfig: overAds, serviceName: name },
      lbPolicy: isRing ? LbPolicy.RING_HASH : LbPolicy.ROUND_ROBIN,
      ...(isRing && {
        lbConfig: {
          case: 'ringHashLbConfig',
          value: { minimumRingSize: BigInt(balance.minRingSize ?? 1024) },
        },
      }),
      ...(maxRequests !== undefined && { circuitBreakers: { thresholds: [{ maxRequests }] } }),
      outlierDetection: outliersOf(cluster.outlier),
      ...(isMesh && { transportSocket: meshUpstreamTls('grpc', names, '') }),
    },
    name,
  );
}

/**
 * All fields from the first version on: a client of grpc-js does not see one that is added later, and dies of a
 * success rate whose fields are half there. It counts no failures in a row, so shares stand in for them.
 */
function outliersOf(limits: OutlierLimits | undefined): Init<typeof OutlierDetectionSchema> {
  const count = Math.max(limits?.consecutive5xx ?? 0, limits?.consecutiveGatewayErrors ?? 0);
  return {
    interval: duration(limits?.intervalMs ?? 10_000),
    baseEjectionTime: duration(limits?.baseEjectionMs ?? 30_000),
    maxEjectionTime: duration(Math.max(limits?.baseEjectionMs ?? 0, 300_000)),
    maxEjectionPercent: limits?.maxEjectionPercent ?? 10,
    enforcingSuccessRate: 0,
    successRateMinimumHosts: 5,
    successRateRequestVolume: 100,
    successRateStdevFactor: 1900,
    failurePercentageThreshold: 50,
    enforcingFailurePercentage: count > 0 ? 100 : 0,
    failurePercentageMinimumHosts: 1,
    failurePercentageRequestVolume: Math.max(count, 1),
  };
}
