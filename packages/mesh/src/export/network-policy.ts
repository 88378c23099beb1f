import { stringify } from 'yaml';
import type { MeshModel, MeshPolicy, Workload } from '../model/index.ts';

/** One line of the service graph: a workload calls a port of another. Both are `namespace/name`. */
export interface GraphCall {
  readonly from: string;
  readonly to: string;
  /** Of the workload that is called. */
  readonly port: number;
}

/** What NetworkPolicies need to be told about, because they cannot say it. */
export interface NetworkPolicies {
  /** A document for each workload that is called or serves something. */
  readonly yaml: string;
  /** Callers of the graph that are no workload of the mesh, and the like. */
  readonly notes: readonly string[];
}

/**
 * The service graph that the ALLOW policies of a mesh permit: each workload that one of its policies lets in by its
 * identity. A workload without ALLOW policies may be called by all that are known.
 */
export function permittedCalls(model: MeshModel): readonly GraphCall[] {
  const calls: GraphCall[] = [];
  for (const [to, called] of model.workloads) {
    const allowing = called.policies.filter(({ action, dryRun }) => action === 'allow' && dryRun !== true);
    for (const [from, caller] of model.workloads) {
      if (from === to) continue;
      for (const { target } of called.inbound) {
        const open =
          allowing.length === 0 || allowing.some((policy) => letsIn(policy, caller, target.port, model));
        if (open) calls.push({ from, to, port: target.port });
      }
    }
  }
  return calls;
}

/** True if some rule may match a call of the workload; what only a request can tell (paths, tokens) is taken to match. */
function letsIn(policy: MeshPolicy, caller: Workload, port: number, { trustDomain }: MeshModel): boolean {
  const principal = `${trustDomain}/ns/${caller.namespace}/sa/${caller.serviceAccount}`;
  const told: Readonly<Record<string, string>> = {
    principals: principal,
    namespaces: caller.namespace,
    serviceAccounts: `${caller.namespace}/${caller.serviceAccount}`,
    trustDomains: trustDomain,
  };
  return policy.rules.some(({ from, to }) => {
    const byCaller = from.map((source) =>
      Object.entries(source).every(([field, among]) => {
        const text = told[field];
        return text === undefined || isAmong(text, among.values, among.notValues);
      }),
    );
    const byPort = to.map(
      ({ ports }) => ports === undefined || isAmong(String(port), ports.values, ports.notValues),
    );
    return (
      (byCaller.length === 0 || byCaller.includes(true)) && (byPort.length === 0 || byPort.includes(true))
    );
  });
}

function isAmong(text: string, values: readonly string[], notValues: readonly string[]): boolean {
  const matches = textIn(text);
  return (values.length === 0 || values.some(matches)) && !notValues.some(matches);
}

function textIn(text: string): (pattern: string) => boolean {
  return (pattern) => {
    if (pattern === '*') return true;
    if (pattern.startsWith('*')) return text.endsWith(pattern.slice(1));
    return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
  };
}

/**
 * NetworkPolicies of Kubernetes from a service graph: each workload takes calls of those that the graph names on the
 * ports that it names, and no others. What a gateway takes from outside stays open.
 */
export function networkPolicies(model: MeshModel, calls: readonly GraphCall[]): NetworkPolicies {
  const notes: string[] = [];
  const documents: object[] = [];
  for (const [name, workload] of [...model.workloads].toSorted(([a], [b]) => a.localeCompare(b))) {
    if (Object.keys(workload.labels).length === 0) {
      notes.push(`${name} has no labels: a NetworkPolicy cannot select it`);
      continue;
    }
    const own = calls.filter(({ to }) => to === name);
    documents.push(policyOf(workload, own, model, notes));
  }
  for (const { from, to } of calls) {
    if (!model.workloads.has(to)) notes.push(`${to}, called by ${from}, is no workload of the mesh`);
  }
  return { yaml: documents.map((each) => stringify(each)).join('---\n'), notes: [...new Set(notes)] };
}

function policyOf(
  workload: Workload,
  calls: readonly GraphCall[],
  model: MeshModel,
  notes: string[],
): object {
  const byPort = new Map<number, string[]>();
  for (const { from, port } of calls) byPort.set(port, [...(byPort.get(port) ?? []), from]);
  const inside = [...byPort]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([port, callers]) => {
      const from = [...new Set(callers)].toSorted().flatMap((caller) => {
        const known = model.workloads.get(caller);
        if (known === undefined)
          notes.push(`${caller} calls, but is no workload of the mesh: it is not let in`);
        return known === undefined ? [] : [peerOf(known)];
      });
      return from.length === 0 ? [] : [{ from, ports: [{ protocol: 'TCP', port }] }];
    });
  const outside = (workload.gateway ?? []).map(({ port }) => ({ ports: [{ protocol: 'TCP', port }] }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: `heddle-${workload.name}`, namespace: workload.namespace },
    spec: {
      podSelector: { matchLabels: workload.labels },
      policyTypes: ['Ingress'],
      ingress: [...inside, ...outside],
    },
  };
}

function peerOf({ namespace, labels }: Workload): object {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    podSelector: { matchLabels: labels },
  };
}
