import type { Container, Metadata, Path, PodSpec, Resource } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory } from '../inventory.ts';

const injectName = 'sidecar.istio.io/inject';
const sidecarNames: ReadonlySet<string | undefined> = new Set(['istio-proxy', 'heddle-sidecar']);

const systems: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'local-path-storage',
]);

/** Whether what runs gets its sidecar, as what injects them sees it. */
export const injection: Check = (inventory, tell) => {
  for (const namespace of inventory.of('Namespace')) {
    const { name, labels } = namespace.metadata;
    if (name === inventory.root || systems.has(name) || wishOf(labels) !== undefined || isAmbient(labels))
      continue;
    const message = 'it says by no label whether its pods get sidecars';
    tell('NAMESPACE_NOT_INJECTED', namespace, ['metadata', 'name'], message);
  }
  for (const pod of inventory.of('Pod')) {
    const isInjected = isTargeted(pod.metadata, pod.metadata.namespace, inventory);
    checkImage(pod, pod.spec, ['spec'], isInjected, tell);
    // One that is only written yet may still get it.
    const isMade = pod.metadata.creationTimestamp !== undefined;
    if (!isMade || !isInjected || pod.spec.hostNetwork === true || hasSidecar(pod.spec)) continue;
    const message = 'it was made without a sidecar, in spite of the labels';
    tell('POD_WITHOUT_SIDECAR', pod, ['metadata', 'name'], message);
  }
  for (const workload of inventory.of('Workload')) {
    const { metadata = {}, spec = {} } = workload.spec.template;
    const isInjected = isTargeted(metadata, workload.metadata.namespace, inventory);
    checkImage(workload, spec, ['spec', 'template', 'spec'], isInjected, tell);
  }
  for (const sidecar of inventory.of('Sidecar')) {
    const { namespace } = sidecar.metadata;
    const space = inventory.of('Namespace').find(({ metadata }) => metadata.name === namespace);
    if (space === undefined || !isAmbient(space.metadata.labels)) continue;
    tell('SIDECAR_IN_AMBIENT', sidecar, ['metadata', 'namespace'], `${namespace} is in ambient mode`);
  }
};

function isAmbient(labels: Readonly<Record<string, string>>): boolean {
  return labels['istio.io/dataplane-mode'] === 'ambient';
}

/** What a namespace says of its pods; undefined: nothing. */
function wishOf(labels: Readonly<Record<string, string>>): boolean | undefined {
  const [injection, revision] = [labels['istio-injection'], labels['istio.io/rev']];
  if (injection !== undefined && injection !== '') return injection === 'enabled';
  return revision === undefined ? undefined : true;
}

/** A namespace that is not written anywhere says nothing. What a pod says goes before, unless its namespace forbids it. */
function isTargeted(
  { labels = {}, annotations = {} }: Partial<Pick<Metadata, 'labels' | 'annotations'>>,
  namespace: string,
  inventory: Inventory,
): boolean {
  const space = inventory.of('Namespace').find(({ metadata }) => metadata.name === namespace);
  const wish = wishOf(space?.metadata.labels ?? {});
  const own = (labels[injectName] ?? annotations[injectName])?.toLowerCase();
  if (wish === false || own === 'false') return false;
  return wish === true || own === 'true' || labels['istio.io/rev'] !== undefined;
}

function hasSidecar({ containers = [], initContainers = [] }: PodSpec): boolean {
  return [...containers, ...initContainers].some(({ name }) => sidecarNames.has(name));
}

/** `auto` is no image, but a place that injection fills. */
function checkImage(
  resource: Resource,
  { containers = [], initContainers = [] }: PodSpec,
  at: Path,
  isInjected: boolean,
  tell: Tell,
): void {
  if (isInjected) return;
  const check = (list: readonly Container[], field: string): void => {
    for (const [index, { name, image }] of list.entries()) {
      if (name !== 'istio-proxy' || image !== 'auto') continue;
      const path = [...at, field, index, 'image'];
      const severity = resource.type === 'Pod' ? 'error' : 'warning';
      const message = 'nothing injects this pod, so that "auto" stays its image';
      tell('IMAGE_AUTO_NOT_INJECTED', resource, path, message, { severity });
    }
  };
  check(containers, 'containers');
  check(initContainers, 'initContainers');
}
