import { destinationRuleSpec } from './destination-rule.ts';
import { gatewaySpec } from './istio-gateway.ts';
import { kubernetesGatewaySpec, referenceGrantSpec } from './kubernetes-gateway.ts';
import { grpcRouteSpec, httpRouteSpec } from './kubernetes-route.ts';
import { kubernetesServiceSpec, namedOnlySpec, podSpec, secretSpec, workloadSpec } from './kubernetes.ts';
import type { ResourceType, SpecOf } from './resource.ts';
import { authorizationPolicySpec, peerAuthenticationSpec, requestAuthenticationSpec } from './security.ts';
import { serviceEntrySpec, workloadEntrySpec } from './service-entry.ts';
import type { Shape } from './shape.ts';
import { sidecarSpec } from './sidecar.ts';
import { telemetrySpec } from './telemetry.ts';
import { virtualServiceSpec } from './virtual-service.ts';

/** What there is to know about a kind before one of it is read. */
export interface Kind<T extends ResourceType = ResourceType> {
  readonly type: T;
  readonly kind: string;
  readonly group: string;
  /** The first is today's. */
  readonly versions: readonly string[];
  readonly shape: Shape<SpecOf[T]>;
  /** True for objects that belong to no namespace. */
  readonly clusterWide?: boolean;
  /** True for objects without a `spec`: what they say stands beside their metadata. */
  readonly isBare?: boolean;
}

const networking = ['v1', 'v1beta1', 'v1alpha3'];
const security = ['v1', 'v1beta1'];
const gatewayApi = ['v1', 'v1beta1', 'v1alpha2'];
const apps = ['v1', 'v1beta2', 'v1beta1'];

/** The kinds that are read. */
export const kinds: readonly Kind[] = [
  kind('Gateway', 'networking.istio.io', networking, gatewaySpec),
  kind('VirtualService', 'networking.istio.io', networking, virtualServiceSpec),
  kind('DestinationRule', 'networking.istio.io', networking, destinationRuleSpec),
  kind('ServiceEntry', 'networking.istio.io', networking, serviceEntrySpec),
  kind('WorkloadEntry', 'networking.istio.io', networking, workloadEntrySpec),
  kind('Sidecar', 'networking.istio.io', networking, sidecarSpec),
  kind('PeerAuthentication', 'security.istio.io', security, peerAuthenticationSpec),
  kind('RequestAuthentication', 'security.istio.io', security, requestAuthenticationSpec),
  kind('AuthorizationPolicy', 'security.istio.io', security, authorizationPolicySpec),
  kind('Telemetry', 'telemetry.istio.io', ['v1', 'v1alpha1'], telemetrySpec),
  {
    ...kind('KubernetesGateway', 'gateway.networking.k8s.io', gatewayApi, kubernetesGatewaySpec),
    kind: 'Gateway',
  },
  kind('HTTPRoute', 'gateway.networking.k8s.io', gatewayApi, httpRouteSpec),
  kind('GRPCRoute', 'gateway.networking.k8s.io', gatewayApi, grpcRouteSpec),
  kind('ReferenceGrant', 'gateway.networking.k8s.io', gatewayApi, referenceGrantSpec),
  kind('Service', '', ['v1'], kubernetesServiceSpec),
  kind('Pod', '', ['v1'], podSpec),
  { ...kind('Namespace', '', ['v1'], namedOnlySpec), clusterWide: true },
  kind('ServiceAccount', '', ['v1'], namedOnlySpec),
  { ...kind('Secret', '', ['v1'], secretSpec), isBare: true },
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].map((name) => ({
    ...kind('Workload', 'apps', apps, workloadSpec),
    kind: name,
  })),
  // The group that Deployments had before `apps`; today's API servers refuse it, older files still have it.
  { ...kind('Workload', 'extensions', ['v1beta1'], workloadSpec), kind: 'Deployment' },
  { ...kind('Workload', 'batch', ['v1'], workloadSpec), kind: 'Job' },
];

/** The groups of which every kind is the mesh's: one that is not read is reported, not passed over. */
export const meshGroups: ReadonlySet<string> = new Set([
  'networking.istio.io',
  'security.istio.io',
  'telemetry.istio.io',
  'extensions.istio.io',
  'authentication.istio.io',
  'rbac.istio.io',
  'config.istio.io',
  'gateway.networking.k8s.io',
]);

function kind<T extends ResourceType>(
  type: T,
  group: string,
  versions: readonly string[],
  shape: Shape<SpecOf[T]>,
): Kind {
  return { type, kind: type, group, versions, shape };
}
