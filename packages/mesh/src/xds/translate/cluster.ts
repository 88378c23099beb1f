import type { Any } from '@bufbuild/protobuf/wkt';
import type { CircuitBreakersSchema } from '../../gen/envoy/config/cluster/v3/circuit_breaker_pb.ts';
import {
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
  ClusterSchema,
} from '../../gen/envoy/config/cluster/v3/cluster_pb.ts';
import type { OutlierDetectionSchema } from '../../gen/envoy/config/cluster/v3/outlier_detection_pb.ts';
import { RawBufferSchema } from '../../gen/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb.ts';
import { HttpProtocolOptionsSchema } from '../../gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.ts';
import type { Balance, Cluster, OutlierLimits, PoolLimits } from '../../model/cluster.ts';
import type { Assignment } from '../../model/endpoint.ts';
import type { XdsResource } from '../ads/resource.ts';
import { lbEndpoint, socketAddress, tlsMark } from './endpoints.ts';
import { duration, extension, any, resource, type Init } from './message.ts';
import { meshUpstreamTls, outerUpstreamTls, overAds } from './tls.ts';

type ClusterInit = Init<typeof ClusterSchema>;

const noLimit = 0xffff_ffff;

/** A cluster as Envoy has it. The assignment is asked for the identities of its endpoints, and its names where those are resolved. */
export function clusterResource(cluster: Cluster, assignment: Assignment | undefined): XdsResource {
  const isEds = cluster.source === 'endpoints';
  return resource(
    cluster.name,
    ClusterSchema,
    {
      name: cluster.name,
      connectTimeout: duration(cluster.pool.connectTimeoutMs ?? 10_000),
      ...sourceOf(cluster, assignment),
      ...balanceOf(cluster.balance, cluster.source),
      circuitBreakers: breakersOf(cluster.pool),
      commonLbConfig: {
        // As Istio: that most of them are ill is no reason to ask the ill ones.
        healthyPanicThreshold: { value: cluster.outlier?.minHealthPercent ?? 0 },
        ...(cluster.locality.kind !== 'off' && {
          localityConfigSpecifier: { case: 'localityWeightedLbConfig', value: {} },
        }),
      },
      ...(cluster.outlier !== undefined && { outlierDetection: outliersOf(cluster.outlier) }),
      ...tlsOf(cluster, assignment),
      typedExtensionProtocolOptions: protocolOf(cluster),
    },
    isEds ? cluster.name : undefined,
  );
}

/** A cluster of one address: what an inbound listener hands over to. */
export function staticCluster(name: string, address: string, port: number, isHttp2: boolean): XdsResource {
  return resource(name, ClusterSchema, {
    name,
    clusterDiscoveryType: { case: 'type', value: DiscoveryType.STATIC },
    connectTimeout: duration(10_000),
    circuitBreakers: breakersOf({}),
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [
            { hostIdentifier: { case: 'endpoint', value: { address: socketAddress(address, port) } } },
          ],
        },
      ],
    },
    ...(isHttp2 && { typedExtensionProtocolOptions: protocolOptions({}, true) }),
  });
}

/** The SPIFFE IDs that the endpoints of an assignment prove, each once. */
export function identitiesOf(assignment: Assignment | undefined): readonly string[] {
  const identities = new Set(assignment?.endpoints.map(({ identity }) => identity));
  identities.delete('');
  return [...identities].toSorted();
}

function sourceOf({ name, source }: Cluster, assignment: Assignment | undefined): ClusterInit {
  switch (source) {
    case 'endpoints':
      return {
        clusterDiscoveryType: { case: 'type', value: DiscoveryType.EDS },
        edsClusterConfig: { edsConfig: overAds, serviceName: name },
      };
    case 'original':
      return { clusterDiscoveryType: { case: 'type', value: DiscoveryType.ORIGINAL_DST } };
    case 'dns':
    case 'logical_dns': {
      const value = source === 'dns' ? DiscoveryType.STRICT_DNS : DiscoveryType.LOGICAL_DNS;
      const lbEndpoints = (assignment?.endpoints ?? []).map(lbEndpoint);
      return {
        clusterDiscoveryType: { case: 'type', value },
        loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints }] },
      };
    }
  }
}

function balanceOf(
  { policy, minRingSize, tableSize, warmUp }: Balance,
  source: Cluster['source'],
): ClusterInit {
  if (source === 'original') return { lbPolicy: LbPolicy.CLUSTER_PROVIDED };
  const slowStartConfig =
    warmUp === undefined
      ? {}
      : {
          slowStartConfig: {
            slowStartWindow: duration(warmUp.durationMs),
            minWeightPercent: { value: warmUp.minimumPercent },
            aggression: { defaultValue: warmUp.aggression, runtimeKey: 'mesh.warm_up.aggression' },
          },
        };
  switch (policy) {
    case 'ring_hash':
      return {
        lbPolicy: LbPolicy.RING_HASH,
        lbConfig: { case: 'ringHashLbConfig', value: { minimumRingSize: BigInt(minRingSize ?? 1024) } },
      };
    case 'maglev':
      return {
        lbPolicy: LbPolicy.MAGLEV,
        lbConfig: { case: 'maglevLbConfig', value: { tableSize: BigInt(tableSize ?? 65_537) } },
      };
    case 'random':
      return { lbPolicy: LbPolicy.RANDOM };
    case 'round_robin':
    case 'passthrough':
      return {
        lbPolicy: LbPolicy.ROUND_ROBIN,
        lbConfig: { case: 'roundRobinLbConfig', value: slowStartConfig },
      };
    case 'least_request':
      return {
        lbPolicy: LbPolicy.LEAST_REQUEST,
        lbConfig: { case: 'leastRequestLbConfig', value: slowStartConfig },
      };
  }
}

/** What is not limited gets no limit: Envoy's own are small. */
function breakersOf(pool: PoolLimits): Init<typeof CircuitBreakersSchema> {
  return {
    thresholds: [
      {
        maxConnections: pool.maxConnections ?? noLimit,
        maxPendingRequests: pool.maxPendingRequests ?? noLimit,
        maxRequests: pool.maxRequests ?? noLimit,
        maxRetries: pool.maxRetries ?? noLimit,
      },
    ],
  };
}

/** What is left out does not eject: Envoy's own rules would, for some. */
function outliersOf(limits: OutlierLimits): Init<typeof OutlierDetectionSchema> {
  const { consecutive5xx = 0, consecutiveGatewayErrors = 0, consecutiveLocalOriginFailures = 0 } = limits;
  const counted = (count: number): number => (count > 0 ? 100 : 0);
  return {
    interval: duration(limits.intervalMs),
    baseEjectionTime: duration(limits.baseEjectionMs),
    maxEjectionPercent: limits.maxEjectionPercent,
    enforcingSuccessRate: 0,
    enforcingConsecutive5xx: counted(consecutive5xx),
    enforcingConsecutiveGatewayFailure: counted(consecutiveGatewayErrors),
    ...(consecutive5xx > 0 && { consecutive5xx }),
    ...(consecutiveGatewayErrors > 0 && { consecutiveGatewayFailure: consecutiveGatewayErrors }),
    splitExternalLocalOriginErrors: limits.splitLocalOrigin === true,
    ...(limits.splitLocalOrigin === true && {
      enforcingLocalOriginSuccessRate: 0,
      enforcingConsecutiveLocalOriginFailure: counted(consecutiveLocalOriginFailures),
      ...(consecutiveLocalOriginFailures > 0 && {
        consecutiveLocalOriginFailure: consecutiveLocalOriginFailures,
      }),
    }),
  };
}

function tlsOf(
  { tls, host, port, subset, protocol }: Cluster,
  assignment: Assignment | undefined,
): ClusterInit {
  switch (tls.mode) {
    case 'off':
      return {};
    case 'tls':
      return { transportSocket: outerUpstreamTls(tls) };
    case 'mesh': {
      const names = tls.names.length > 0 ? tls.names : identitiesOf(assignment);
      return { transportSocket: meshUpstreamTls('envoy', names, tls.sni, protocol) };
    }
    case 'auto': {
      const sni = `outbound_.${port}_.${subset}_.${host}`;
      const encrypted = {
        name: 'mesh-tls',
        match: { [Object.keys(tlsMark)[0] as string]: tlsMark.tlsMode },
        transportSocket: meshUpstreamTls('envoy', identitiesOf(assignment), sni, protocol),
      };
      const plain = {
        name: 'plaintext',
        match: {},
        transportSocket: extension('envoy.transport_sockets.raw_buffer', RawBufferSchema),
      };
      return identitiesOf(assignment).length === 0 ? {} : { transportSocketMatches: [encrypted, plain] };
    }
  }
}

function protocolOf({ protocol, pool }: Cluster): Record<string, Any> {
  return protocol === 'tcp' ? {} : protocolOptions(pool, protocol === 'http2');
}

function protocolOptions(
  { idleTimeoutMs, maxConnectionMs, maxRequestsPerConnection }: PoolLimits,
  isHttp2: boolean,
): Record<string, Any> {
  const options = any(HttpProtocolOptionsSchema, {
    commonHttpProtocolOptions: {
      ...(idleTimeoutMs !== undefined && { idleTimeout: duration(idleTimeoutMs) }),
      ...(maxConnectionMs !== undefined && { maxConnectionDuration: duration(maxConnectionMs) }),
      ...(maxRequestsPerConnection !== undefined && { maxRequestsPerConnection }),
    },
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: {
        protocolConfig: isHttp2
          ? { case: 'http2ProtocolOptions', value: {} }
          : { case: 'httpProtocolOptions', value: {} },
      },
    },
  });
  return { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': options };
}
