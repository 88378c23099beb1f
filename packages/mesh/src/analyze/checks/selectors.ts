import type { Path, Resource, TargetRef } from '../../resources/index.ts';
import type { AnalysisCode } from '../catalogue.ts';
import type { Check, Tell } from '../check.ts';
import { compatible, type Inventory } from '../inventory.ts';

/** What each kind is selected by, and what two of a kind are called. */
const kinds = [
  { type: 'PeerAuthentication', duplicate: 'POLICY_DUPLICATE', conflict: 'POLICY_CONFLICT' },
  { type: 'Telemetry', duplicate: 'TELEMETRY_DUPLICATE', conflict: 'TELEMETRY_CONFLICT' },
  { type: 'Sidecar', duplicate: 'SIDECAR_DUPLICATE', conflict: 'SIDECAR_CONFLICT' },
  // Several of these add up.
  { type: 'RequestAuthentication', duplicate: undefined, conflict: undefined },
  { type: 'AuthorizationPolicy', duplicate: undefined, conflict: undefined },
] as const satisfies readonly {
  type: Resource['type'];
  duplicate: AnalysisCode | undefined;
  conflict: AnalysisCode | undefined;
}[];

/** Policies that select nothing, and two of a kind for one workload where only one counts. */
export const selectors: Check = (inventory, tell) => {
  for (const { type, duplicate, conflict } of kinds) {
    const found = inventory.resources.filter((resource) => resource.type === type);
    const all = found.map((resource) => ({ resource, ...selectionOf(resource) }));
    for (const one of all) {
      checkSelection(one.resource, one.labels, one.path, inventory, tell);
      checkTargets(one.resource, inventory, tell);
      const others = all.filter(
        (other) => other !== one && other.resource.metadata.namespace === one.resource.metadata.namespace,
      );
      if (one.labels === undefined) {
        const twins = others.filter(({ labels, targeted }) => labels === undefined && !targeted);
        if (twins.length > 0 && duplicate !== undefined && !one.targeted) {
          tell(duplicate, one.resource, ['metadata', 'name'], `${names(twins)} has no selector either`);
        }
      } else if (conflict !== undefined) {
        const rivals = others.filter(
          ({ labels, targeted }) =>
            labels !== undefined &&
            targeted === one.targeted &&
            meet(one.labels ?? {}, labels, inventory, one.resource.metadata.namespace),
        );
        if (rivals.length > 0)
          tell(conflict, one.resource, one.path, `${names(rivals)} selects the same workloads`);
      }
    }
  }
};

interface Selection {
  /** Undefined: all of the namespace. */
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly path: Path;
  readonly targeted: boolean;
}

function selectionOf(resource: Resource): Selection {
  const spec = resource.spec as {
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly workloadSelector?: { readonly labels?: Readonly<Record<string, string>> };
    readonly targetRefs?: readonly TargetRef[];
  };
  const labels = spec.selector?.matchLabels ?? spec.workloadSelector?.labels ?? {};
  return {
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    path: ['spec', spec.workloadSelector === undefined ? 'selector' : 'workloadSelector'],
    targeted: (spec.targetRefs ?? []).length > 0,
  };
}

function names(found: readonly { readonly resource: Resource }[]): string {
  return found.map(({ resource }) => resource.metadata.name).join(', ');
}

/** Some workload is selected by both; where no workload is known, one could be. */
function meet(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
  inventory: Inventory,
  namespace: string,
): boolean {
  if (!compatible(a, b)) return false;
  const isKnown = inventory.workloads.some((each) => each.namespace === namespace);
  return !isKnown || inventory.selected({ ...a, ...b }, namespace).length > 0;
}

function checkSelection(
  resource: Resource,
  labels: Readonly<Record<string, string>> | undefined,
  path: Path,
  inventory: Inventory,
  tell: Tell,
): void {
  const { namespace } = resource.metadata;
  if (labels === undefined) {
    checkNamespace(resource, inventory, tell);
    return;
  }
  checkGatewayOfKubernetes(resource, labels, path, inventory, tell);
  // PeerAuthentication and Sidecar of the root namespace reach no others by a selector.
  const everywhere = namespace === inventory.root && resource.type !== 'PeerAuthentication';
  if (inventory.selected(labels, everywhere ? undefined : namespace).length > 0) return;
  const text = Object.entries(labels).map(([key, value]) => `${key}: ${value}`);
  tell(
    'POLICY_SELECTS_NOTHING',
    resource,
    path,
    `no workload${everywhere ? '' : ` of ${namespace}`} has ${text.join(', ')}`,
  );
}

/** One for a whole namespace in which nothing runs, while elsewhere something does. */
function checkNamespace(resource: Resource, inventory: Inventory, tell: Tell): void {
  const { namespace } = resource.metadata;
  const { targetRefs = [] } = resource.spec as { readonly targetRefs?: readonly TargetRef[] };
  if (resource.type !== 'AuthorizationPolicy' || targetRefs.length > 0 || namespace === inventory.root)
    return;
  const { workloads } = inventory;
  if (workloads.length === 0 || workloads.some((each) => each.namespace === namespace)) return;
  tell('POLICY_SELECTS_NOTHING', resource, ['metadata', 'namespace'], `nothing runs in ${namespace}`);
}

const gatewayLabel = 'gateway.networking.k8s.io/gateway-name';

/** A workload of a Gateway of the Gateway API is reached by targetRefs alone. */
function checkGatewayOfKubernetes(
  resource: Resource,
  labels: Readonly<Record<string, string>>,
  path: Path,
  inventory: Inventory,
  tell: Tell,
): void {
  const { targetRefs = [] } = resource.spec as { readonly targetRefs?: readonly TargetRef[] };
  if (resource.type === 'PeerAuthentication' || resource.type === 'Sidecar' || targetRefs.length > 0) return;
  const found = inventory
    .selected(labels, resource.metadata.namespace)
    .find((each) => each.labels[gatewayLabel] !== undefined);
  if (found === undefined) return;
  const message = `${found.name} is of the Gateway ${found.labels[gatewayLabel]} of the Gateway API`;
  tell('SELECTOR_OF_KUBERNETES_GATEWAY', resource, path, message);
}

function checkTargets(resource: Resource, inventory: Inventory, tell: Tell): void {
  const { targetRefs = [] } = resource.spec as { readonly targetRefs?: readonly TargetRef[] };
  for (const [index, { kind, name, namespace = resource.metadata.namespace }] of targetRefs.entries()) {
    const type =
      kind === 'Gateway'
        ? 'KubernetesGateway'
        : kind === 'Service' || kind === 'ServiceEntry'
          ? kind
          : undefined;
    if (type === undefined) continue;
    const found = inventory
      .of(type)
      .some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    if (!found)
      tell(
        'TARGET_NOT_FOUND',
        resource,
        ['spec', 'targetRefs', index],
        `there is no ${kind} ${namespace}/${name}`,
      );
  }
}
