import { membersIn, objectsIn, textsIn, textOf } from './json-value.ts';
import { sidecarName } from './inject-settings.ts';
import type { PodBody } from './pod-body.ts';

/** The label and annotation of Istio by which an object asks for a sidecar or refuses it. */
export const injectName = 'sidecar.istio.io/inject';
/** The label of a namespace: `enabled` or `disabled`. */
export const namespaceLabel = 'istio-injection';

/** Whether a pod gets a sidecar, and why not. */
export type InjectDecision =
  | { readonly inject: true }
  /** `asked`: it was wanted, so that whoever asked should hear of it. */
  | { readonly inject: false; readonly why: string; readonly asked: boolean };

const ofKubernetes = new Set(['kube-system', 'kube-public', 'kube-node-lease']);
// YAML's own words for true, as Istio takes them.
const yes = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;

/** What a pod is judged by. */
export interface Surroundings {
  readonly namespace: string;
  /** Undefined: nothing is known of the namespace. */
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined;
  readonly byDefault: boolean;
}

/**
 * Istio's rules: never on the network of the node, never in Kubernetes' own namespaces, never where the namespace is
 * labelled `disabled`; the pod's label decides, else its annotation, else the namespace's label, else the default.
 */
export function decideInjection({ metadata, spec }: PodBody, around: Surroundings): InjectDecision {
  const { namespace, namespaceLabels = {}, byDefault } = around;
  const labelled = textsIn(metadata['labels'])[injectName];
  const said = labelled ?? textsIn(metadata['annotations'])[injectName];
  const ofNamespace = namespaceLabels[namespaceLabel];
  const asked = said !== undefined && yes.test(said);
  const no = (why: string): InjectDecision => ({ inject: false, why, asked });
  if (spec['hostNetwork'] === true)
    return no('it uses the network of its node (hostNetwork), whose ports are not its own');
  if (ofKubernetes.has(namespace)) return no(`the namespace ${namespace} is Kubernetes’ own`);
  if (ofNamespace === 'disabled')
    return no(`its namespace ${namespace} says ${namespaceLabel}: disabled, which no pod can overrule`);
  if (said !== undefined && said !== '' && !asked) return no(`it says ${injectName}: "${said}"`);
  if (hasIstio(spec)) return no('it has Istio’s own sidecar (istio-proxy)');
  if (hasForeign(spec)) return no(`it has a container "${sidecarName}" that was not injected`);
  if (asked || ofNamespace === 'enabled' || byDefault) return { inject: true };
  return no(`neither it nor its namespace asks for a sidecar (${namespaceLabel}: enabled)`);
}

function containersOf(spec: PodBody['spec']): readonly string[] {
  return [...objectsIn(spec['containers']), ...objectsIn(spec['initContainers'])].map(({ name }) =>
    textOf(name),
  );
}

function hasIstio(spec: PodBody['spec']): boolean {
  return containersOf(spec).includes('istio-proxy');
}

/** What was injected before has been taken out by now. */
function hasForeign(spec: PodBody['spec']): boolean {
  return containersOf(membersIn(spec)).includes(sidecarName);
}
