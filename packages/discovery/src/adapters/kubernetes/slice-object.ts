import { isIP, isIPv6 } from './ip.ts';
import type { Instance } from '../../registry/instance.ts';
import type { Collections } from './kinds.ts';
import { objectName } from './lease-object.ts';

const appProtocols = { grpc: 'kubernetes.io/h2c', http: 'http', tcp: undefined } as const;

/**
 * The slice of one instance, for all that know nothing of us: kube-proxy, CoreDNS, Istio. What may not stand in a slice
 * (a loopback or link-local address) is of no use to them, so then it has no endpoint.
 */
export function sliceObject(instance: Instance, collections: Collections): Record<string, unknown> {
  const { service, id, address, port, protocol, state, zone, health, weight } = instance;
  const ready = state === 'running' && health !== 'critical' && weight > 0;
  const terminating = state === 'draining' || state === 'stopping';
  const serving = ready || (state === 'draining' && health !== 'critical');
  const endpoint = {
    addresses: [address],
    conditions: { ready: ready && !terminating, serving, terminating },
    ...(zone !== 'default' && { zone }),
  };
  const appProtocol = appProtocols[protocol];
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: objectName(service, id),
      labels: collections.labelsOf(service),
      annotations: { 'heddle.dev/id': id },
    },
    addressType: isIPv6(address) ? 'IPv6' : isIP(address) ? 'IPv4' : 'FQDN',
    endpoints: isRoutable(address) ? [endpoint] : [],
    ports: [{ name: protocol, port, protocol: 'TCP', ...(appProtocol !== undefined && { appProtocol }) }],
  };
}

/** A service without a selector: its slices are made by us. Headless, since nobody balances before the slices. */
export function serviceObject({ service, port, protocol }: Instance): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service, labels: { 'app.kubernetes.io/managed-by': 'heddle' } },
    spec: { clusterIP: 'None', ports: [{ name: protocol, port, protocol: 'TCP' }] },
  };
}

/** As the API server's validation has it, for IP addresses; a host name needs a dot or two, else it is none for DNS. */
function isRoutable(address: string): boolean {
  if (isIPv6(address)) return !/^(::1?|fe[89ab].*|ff.*)$/i.test(address) && !address.includes('%');
  if (isIP(address)) return !/^(0\.0\.0\.0|127\.|169\.254\.|22[4-9]\.|23\d\.)/.test(address);
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(address);
}
