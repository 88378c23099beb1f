import type { DestinationRuleSpec } from './destination-rule.ts';
import type { ObjectName, Position } from './finding.ts';
import type { GatewaySpec } from './istio-gateway.ts';
import type { KubernetesGatewaySpec, ReferenceGrantSpec } from './kubernetes-gateway.ts';
import type { GrpcRouteSpec, HttpRouteSpec } from './kubernetes-route.ts';
import type {
  KubernetesServiceSpec,
  NamedOnlySpec,
  PodSpec,
  SecretSpec,
  WorkloadSpec,
} from './kubernetes.ts';
import type {
  AuthorizationPolicySpec,
  PeerAuthenticationSpec,
  RequestAuthenticationSpec,
} from './security.ts';
import type { ServiceEntrySpec, WorkloadEntrySpec } from './service-entry.ts';
import type { Path } from './shape.ts';
import type { SidecarSpec } from './sidecar.ts';
import type { TelemetrySpec } from './telemetry.ts';
import type { VirtualServiceSpec } from './virtual-service.ts';

/** The kinds that are read. A Gateway of the Gateway API is a `KubernetesGateway` here. */
export interface SpecOf {
  readonly Gateway: GatewaySpec;
  readonly VirtualService: VirtualServiceSpec;
  readonly DestinationRule: DestinationRuleSpec;
  readonly ServiceEntry: ServiceEntrySpec;
  readonly WorkloadEntry: WorkloadEntrySpec;
  readonly Sidecar: SidecarSpec;
  readonly PeerAuthentication: PeerAuthenticationSpec;
  readonly RequestAuthentication: RequestAuthenticationSpec;
  readonly AuthorizationPolicy: AuthorizationPolicySpec;
  readonly Telemetry: TelemetrySpec;
  readonly KubernetesGateway: KubernetesGatewaySpec;
  readonly HTTPRoute: HttpRouteSpec;
  readonly GRPCRoute: GrpcRouteSpec;
  readonly ReferenceGrant: ReferenceGrantSpec;
  readonly Service: KubernetesServiceSpec;
  /** Deployment, StatefulSet, DaemonSet, ReplicaSet, Job. */
  readonly Workload: WorkloadSpec;
  readonly Pod: PodSpec;
  readonly Namespace: NamedOnlySpec;
  readonly ServiceAccount: NamedOnlySpec;
  readonly Secret: SecretSpec;
}

/** One of the kinds that are read. */
export type ResourceType = keyof SpecOf;

/** The part of `metadata` that matters here. */
export interface Metadata {
  /** Empty where none is written, which is a finding. */
  readonly name: string;
  /** The default namespace where none is written. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** When the API server made it; Istio lets the oldest of several win. */
  readonly creationTimestamp?: string;
}

/** One object as it was read: without what is wrong in it, in today's form. */
export interface ResourceOf<T extends ResourceType> {
  readonly type: T;
  readonly apiVersion: string;
  /** As written: `Gateway` also for a `KubernetesGateway`, `Deployment` for a `Workload`. */
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec: SpecOf[T];
  readonly file: string;
  /** Where a part of the object is written, e.g. `['spec', 'hosts', 0]`. */
  readonly at: (path: Path) => Position;
  /** False when its form has an error: it is looked at, but must not be applied. */
  readonly valid: boolean;
}

/** Any resource; `type` says which. */
export type Resource = { [T in ResourceType]: ResourceOf<T> }[ResourceType];

/** How findings and messages name a resource. */
export function objectName({ kind, metadata }: Pick<Resource, 'kind' | 'metadata'>): ObjectName {
  return { kind, namespace: metadata.namespace, name: metadata.name };
}

/** Those of one type. */
export function ofType<T extends ResourceType>(
  resources: readonly Resource[],
  type: T,
): readonly ResourceOf<T>[] {
  return resources.filter((resource): resource is Resource & ResourceOf<T> => resource.type === type);
}
