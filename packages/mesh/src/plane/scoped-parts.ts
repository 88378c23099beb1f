import type { MeshModel, RouteRule, ServiceListener, Workload } from '../model/index.ts';
import { isByCaller, servicesFor } from '../xds/translate/scope.ts';
import {
  assignmentPart,
  clusterPart,
  domainParts,
  type ModelParts,
  servicePart,
  workloadPart,
} from './model-parts.ts';

/**
 * What one workload's plane gets of a model: the services that it sees with the rules that are for it, the clusters that
 * these lead to, and its own side. Nobody is told who may call others.
 */
export class ScopedParts {
  readonly #model: MeshModel;
  /** Some rules are only for some callers. */
  readonly #isOwn: boolean;
  readonly #known = new Map<string, ModelParts>();

  constructor(model: MeshModel) {
    this.#model = model;
    this.#isOwn = model.services.some((each) => each.visibleIn.length > 0 || isByCaller(each));
  }

  /** `name`: `namespace/name`. One that the model does not know has no own side. */
  of(name: string): ModelParts {
    const workload = this.#model.workloads.get(name);
    const [namespace = ''] = name.split('/', 1);
    const shared = this.#outbound(workload ?? { namespace, labels: {} });
    if (workload === undefined) return shared;
    const parts = new Map(shared);
    for (const { hosts, rules } of (workload.gateway ?? []).flatMap(({ servers }) => servers))
      for (const all of [rules, ...hosts.map((each) => each.rules)]) this.#clusters(all, parts);
    // No plane that is told of this serves a gateway: its keys have no business here.
    const { secrets: _, ...own } = workload;
    return parts.set(workloadPart(name), workload.secrets === undefined ? workload : own);
  }

  #outbound(caller: Pick<Workload, 'namespace' | 'labels'>): ModelParts {
    // What narrows the services of a workload itself sets it apart as well.
    const egress = 'egress' in caller ? caller.egress : undefined;
    const isOwn = this.#isOwn || egress !== undefined;
    const key = isOwn ? JSON.stringify([caller.namespace, caller.labels, egress]) : '';
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { services, trustDomain } = this.#model;
    const parts = new Map(domainParts(trustDomain));
    for (const service of servicesFor(services, caller)) this.#service(service, parts);
    this.#known.set(key, parts);
    return parts;
  }

  #service(service: ServiceListener, parts: Map<string, object>): void {
    parts.set(servicePart(service), service);
    this.#clusters(service.rules, parts);
  }

  #clusters(rules: readonly RouteRule[], parts: Map<string, object>): void {
    for (const name of rules.flatMap(clustersOf)) {
      const cluster = this.#model.clusters.get(name);
      const assignment = this.#model.assignments.get(name);
      if (cluster !== undefined) parts.set(clusterPart(name), cluster);
      if (assignment !== undefined) parts.set(assignmentPart(name), assignment);
    }
  }
}

/** The clusters that a rule's traffic may go to, copies too. */
export function clustersOf({ action, mirrors = [] }: RouteRule): readonly string[] {
  const shares = action.kind === 'forward' ? action.shares.map(({ cluster }) => cluster) : [];
  return [...shares, ...mirrors.map(({ cluster }) => cluster)];
}
