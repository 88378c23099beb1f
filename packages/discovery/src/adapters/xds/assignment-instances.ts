import type { Health, Instance, InstanceState } from '../../registry/instance.ts';
import { readInstance } from '../../registry/validate-instance.ts';
import { HealthStatus } from '../../gen/envoy/config/core/v3/core_pb.ts';
import type {
  ClusterLoadAssignment,
  LbEndpoint,
  LocalityLbEndpoints,
} from '../../gen/envoy/config/endpoint/v3/endpoint_pb.ts';

/** Shares of localities are parts of this. */
const wholeShare = 10_000;
const mostWeight = 65_535;

/**
 * The instances in an EDS resource, sorted by id. As gRPC reads it: of the priorities the first with an endpoint that
 * takes calls is called, the others stand by with weight 0; within it, where a locality has a weight, an endpoint's
 * weight is its part of its locality's part (10,000 in all), and localities without one get nothing; where none has,
 * endpoints' own weights count, or 100 each. What is no instance (a name of a port, a pipe) is left out.
 */
export function instancesIn(service: string, assignment: ClusterLoadAssignment): Instance[] {
  const priorities = [...new Set(assignment.endpoints.map(({ priority }) => priority))].toSorted(
    (a, b) => a - b,
  );
  const at = (priority: number): LocalityLbEndpoints[] =>
    assignment.endpoints.filter((locality) => locality.priority === priority);
  const active = priorities.find((priority) =>
    at(priority).some(({ lbEndpoints }) => lbEndpoints.some(({ healthStatus }) => isCalled(healthStatus))),
  );
  const byId = new Map<string, Instance>();
  for (const priority of priorities) {
    const localities = at(priority);
    for (const locality of localities) {
      for (const endpoint of locality.lbEndpoints) {
        const isActive = priority === (active ?? priorities[0]);
        const weight = isActive ? weightOf(endpoint, locality, localities) : 0;
        const found = instanceOf(service, endpoint, locality, weight);
        if (found !== undefined && !byId.has(found.id)) byId.set(found.id, found);
      }
    }
  }
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function isCalled(status: HealthStatus): boolean {
  return (
    status === HealthStatus.UNKNOWN || status === HealthStatus.HEALTHY || status === HealthStatus.DEGRADED
  );
}

function weightOf(
  endpoint: LbEndpoint,
  locality: LocalityLbEndpoints,
  localities: readonly LocalityLbEndpoints[],
): number {
  const ownOf = (each: LbEndpoint): number => each.loadBalancingWeight ?? 1;
  const all = localities.flatMap(({ lbEndpoints }) => lbEndpoints);
  if (localities.every(({ loadBalancingWeight }) => loadBalancingWeight === undefined)) {
    const isWeighted = all.some(({ loadBalancingWeight }) => loadBalancingWeight !== undefined);
    return isWeighted ? scaled(ownOf(endpoint), all.map(ownOf)) : 100;
  }
  if ((locality.loadBalancingWeight ?? 0) === 0) return 0;
  // Where none is well, all count, for a balancer that calls them all the same (see `ResolverOptions.panicShare`).
  const isAny = all.some(({ healthStatus }) => isCalled(healthStatus));
  const called = (each: LocalityLbEndpoints): LbEndpoint[] =>
    each.lbEndpoints.filter(({ healthStatus }) => !isAny || isCalled(healthStatus));
  // A locality of which nothing is left gives its share to the others.
  const counting = localities.filter((each) => called(each).length > 0);
  const localityShare =
    (locality.loadBalancingWeight ?? 0) /
    sum(counting.map(({ loadBalancingWeight = 0 }) => loadBalancingWeight));
  const ownShare = ownOf(endpoint) / sum(called(locality).map(ownOf));
  return Number.isFinite(localityShare * ownShare)
    ? Math.min(mostWeight, Math.max(1, Math.round(wholeShare * localityShare * ownShare)))
    : 0;
}

/** Weights are of 32 bits there and of 16 here. */
function scaled(weight: number, all: readonly number[]): number {
  const most = all.reduce((a, b) => Math.max(a, b), 1);
  return most <= mostWeight ? weight : Math.max(1, Math.round((weight * mostWeight) / most));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function instanceOf(
  service: string,
  endpoint: LbEndpoint,
  { locality, priority }: LocalityLbEndpoints,
  weight: number,
): Instance | undefined {
  if (endpoint.hostIdentifier.case !== 'endpoint') return undefined;
  const { address, hostname } = endpoint.hostIdentifier.value;
  if (address?.address.case !== 'socketAddress') return undefined;
  const { address: host, portSpecifier } = address.address.value;
  if (portSpecifier.case !== 'portValue') return undefined;
  const facts = factsOf(endpoint);
  const { instance } = readInstance({
    service,
    address: host,
    port: portSpecifier.value,
    weight,
    version: facts['version'] ?? '',
    metadata: {
      ...facts,
      'xds.priority': String(priority),
      ...(locality !== undefined && locality.subZone !== '' && { 'xds.sub_zone': locality.subZone }),
      ...(hostname !== '' && { 'xds.hostname': hostname }),
    },
    ...(locality !== undefined && locality.zone !== '' && { zone: locality.zone }),
    ...(locality !== undefined && locality.region !== '' && { region: locality.region }),
    ...(conditions[endpoint.healthStatus] ?? conditions[HealthStatus.UNKNOWN]),
  });
  return instance;
}

/** What the endpoint's subset metadata says in plain texts. */
function factsOf({ metadata }: LbEndpoint): Record<string, string> {
  const fields = metadata?.filterMetadata['envoy.lb'] ?? {};
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => typeof value === 'string'),
  ) as Record<string, string>;
}

const running: InstanceState = 'running';
const failing = { state: running, health: 'critical' } as const;
// A value that is not known yet comes through as a number.
const conditions: Readonly<Record<number, { readonly state: InstanceState; readonly health: Health }>> = {
  [HealthStatus.UNKNOWN]: { state: running, health: 'unknown' },
  [HealthStatus.HEALTHY]: { state: running, health: 'passing' },
  [HealthStatus.UNHEALTHY]: failing,
  [HealthStatus.DRAINING]: { state: 'draining', health: 'passing' },
  [HealthStatus.TIMEOUT]: failing,
  [HealthStatus.DEGRADED]: { state: running, health: 'warning' },
};
