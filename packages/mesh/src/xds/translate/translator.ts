import type { Cluster } from '../../model/cluster.ts';
import type { Assignment, Locality } from '../../model/endpoint.ts';
import { localityText } from '../../model/endpoint.ts';
import type { Workload } from '../../model/listener.ts';
import type { MeshModel } from '../../model/mesh-model.ts';
import { noResources, type Resources, type Snapshot, type XdsResource } from '../ads/resource.ts';
import { clusterResource, identitiesOf } from './cluster.ts';
import { endpointsResource } from './endpoints.ts';
import { gateways } from './gateway.ts';
import { grpcClusterResource } from './grpc-cluster.ts';
import { grpcClients, grpcServers } from './grpc-listener.ts';
import { inbound } from './inbound.ts';
import { outbound } from './outbound.ts';
import type { Inexpressible, Plane, Report } from './plane.ts';
import { clustersFor, isByCaller, servicesFor } from './scope.ts';

/** For whom a snapshot is. Those of whom all of this is the same get the same. */
export interface ProxyKind {
  readonly plane: Plane;
  /** `namespace/name`; one that the model does not know has no inbound side. */
  readonly workload: string;
  readonly locality: Locality;
}

/** A snapshot, and what the plane cannot do of it. */
export interface Translated {
  readonly snapshot: Snapshot;
  readonly inexpressible: readonly Inexpressible[];
}

/**
 * Makes snapshots of models. What a model has in common with the one before it is not made again, and its resources
 * are the same objects: a change of one endpoint costs one assignment, for all proxies of a locality together.
 */
export class Translator {
  readonly #kept = new Map<string, Kept>();
  readonly #madeClusters: Readonly<Record<Plane, WeakMap<Cluster, MadeCluster>>> = {
    envoy: new WeakMap(),
    grpc: new WeakMap(),
  };
  readonly #seen = new Map<string, { of: MeshModel['services']; services: MeshModel['services'] }>();
  #asked: { readonly services: MeshModel['services']; readonly isOwn: boolean } | undefined;
  #version = 0;
  #model: MeshModel | undefined;

  /** `secrets`: the certificates of that proxy. */
  translate(model: MeshModel, proxy: ProxyKind, secrets: Resources = noResources): Translated {
    if (model !== this.#model) {
      this.#model = model;
      this.#version += 1;
    }
    const { plane, locality } = proxy;
    const workload = model.workloads.get(proxy.workload);
    const clusters = this.#scoped(this.#clusters(model, plane), model, plane, workload);
    const endpoints = this.#endpoints(model, locality);
    const out = this.#outbound(model, plane, workload);
    const own = this.#own(model, plane, workload);
    const all = [clusters, out, own];
    const key = `${plane} ${proxy.workload}`;
    return {
      snapshot: {
        version: `${this.#version}`,
        cluster: this.#joined(`${key} cluster`, clusters.resources.cluster, own.resources.cluster),
        endpoints,
        secret: secrets,
        listener: this.#joined(`${key} listener`, out.resources.listener, own.resources.listener),
        route: this.#joined(`${key} route`, out.resources.route, own.resources.route),
      },
      inexpressible: all.flatMap(({ inexpressible }) => inexpressible),
    };
  }

  /** Forgets what was made for workloads that are gone. */
  prune(workloads: ReadonlySet<string>): void {
    for (const [key, { workload }] of this.#kept)
      if (workload !== undefined && !workloads.has(workload)) this.#kept.delete(key);
  }

  /** The endpoints of most clusters come by themselves: of those only who they are matters here. */
  #clusters({ clusters, assignments }: MeshModel, plane: Plane): Kept {
    const key = `clusters ${plane}`;
    const before = this.#kept.get(key);
    if (before?.from[0] === clusters) {
      const old = before.from[1] as MeshModel['assignments'];
      const touched = changedAssignments(old, assignments).some((name) =>
        mattersTo(clusters.get(name), old.get(name), assignments.get(name)),
      );
      if (!touched) {
        const kept = { ...before, from: [clusters, assignments] };
        this.#kept.set(key, kept);
        return kept;
      }
    }
    return this.#keep(key, [clusters, assignments], (old, report) => {
      const made = [...clusters.values()].flatMap((cluster) => {
        const one = this.#cluster(cluster, assignments.get(cluster.name), plane);
        for (const each of one.reports) report(each);
        return one.resource ?? [];
      });
      return { ...none, cluster: named(made, old.cluster) };
    });
  }

  #cluster(cluster: Cluster, assignment: Assignment | undefined, plane: Plane): MadeCluster {
    const known = this.#madeClusters[plane].get(cluster);
    if (known !== undefined && !mattersTo(cluster, known.assignment, assignment)) return known;
    const reports: Inexpressible[] = [];
    const resource =
      plane === 'envoy'
        ? clusterResource(cluster, assignment)
        : grpcClusterResource(cluster, assignment, (what) => reports.push(what));
    const made = { assignment, resource, reports };
    this.#madeClusters[plane].set(cluster, made);
    return made;
  }

  #endpoints({ clusters, assignments }: MeshModel, locality: Locality): Resources {
    const key = `endpoints ${localityText(locality)}`;
    const from = this.#kept.get(key)?.from as
      | readonly [MeshModel['clusters'], MeshModel['assignments']]
      | undefined;
    const isSame = from?.[0] === clusters;
    const kept = this.#keep(key, [clusters, assignments], (old) => {
      // Nothing but what has changed is looked at: that is all that is done for one endpoint of ten thousand.
      const names = isSame ? changedAssignments(from?.[1], assignments) : undefined;
      const next = new Map(names === undefined ? [] : old.endpoints);
      for (const name of names ?? assignments.keys()) {
        const made = assignmentResource(clusters.get(name), assignments.get(name), locality);
        const known = old.endpoints.get(name);
        if (made === undefined) next.delete(name);
        else next.set(name, known?.version === made.version ? known : made);
      }
      return { ...none, endpoints: sameResources(old.endpoints, next) };
    });
    return kept.resources.endpoints;
  }

  #outbound(model: MeshModel, plane: Plane, workload: Workload | undefined): Kept {
    const services = this.#visible(model, workload);
    const key = `outbound ${plane} ${this.#sightOf(model, workload)}`;
    return this.#keep(key, [services, model.clusters], (before, report) => {
      const made =
        plane === 'envoy'
          ? outbound(services, model.clusters)
          : grpcClients(services, model.clusters, report);
      return {
        ...none,
        listener: named(made.listeners, before.listener),
        route: named(made.routes, before.route),
      };
    });
  }

  /** The services that a workload sees, with the rules that are for it. */
  #visible({ services }: MeshModel, workload: Workload | undefined): MeshModel['services'] {
    const sight = this.#sightOf({ services }, workload);
    if (sight === '') return services;
    const known = this.#seen.get(sight);
    if (known?.of === services) return known.services;
    const seen = servicesFor(services, workload ?? nobody);
    this.#seen.set(sight, { of: services, services: seen });
    return seen;
  }

  /** The same for those who see the same; empty: all there is. */
  #sightOf({ services }: Pick<MeshModel, 'services'>, workload: Workload | undefined): string {
    const { namespace, labels, egress } = workload ?? { ...nobody, egress: undefined };
    if (egress !== undefined) return JSON.stringify([namespace, labels, egress]);
    return this.#isByCaller(services) ? JSON.stringify([namespace, labels]) : '';
  }

  /** A Sidecar's egress is there to make little of much: its workload gets the clusters of what it calls alone. */
  #scoped(all: Kept, model: MeshModel, plane: Plane, workload: Workload | undefined): Kept {
    if (workload?.egress === undefined) return all;
    const services = this.#visible(model, workload);
    const from = [all.resources.cluster, services];
    const kept = this.#keep(`scoped ${plane} ${this.#sightOf(model, workload)}`, from, (before) => {
      const names = clustersFor(services, model.clusters);
      const own = [...all.resources.cluster.values()].filter(({ name }) => names.has(name));
      return { ...none, cluster: named(own, before.cluster) };
    });
    return { ...kept, inexpressible: all.inexpressible };
  }

  /** Most see the same, whoever they are. */
  #isByCaller(services: MeshModel['services']): boolean {
    if (this.#asked?.services !== services) {
      const isOwn = services.some((each) => each.visibleIn.length > 0 || isByCaller(each));
      this.#asked = { services, isOwn };
    }
    return this.#asked.isOwn;
  }

  #own(model: MeshModel, plane: Plane, workload: Workload | undefined): Kept {
    if (workload === undefined) return empty;
    const name = `${workload.namespace}/${workload.name}`;
    const from = [workload, workload.gateway === undefined ? undefined : model.clusters];
    const make = (before: Made, report: Report): Made => {
      for (const each of workload.undone ?? []) report({ plane, ...each });
      if (plane === 'grpc')
        return { ...none, listener: named(grpcServers(workload, report), before.listener) };
      const { listeners, clusters } = inbound(workload, report);
      const gateway = gateways(workload, model.clusters, report);
      return {
        ...none,
        cluster: named(clusters, before.cluster),
        listener: named([...listeners, ...gateway.listeners], before.listener),
        route: named(gateway.routes, before.route),
      };
    };
    return this.#keep(`own ${plane} ${name}`, from, make, name);
  }

  /** Makes it again only where what it is made from is not the very same. */
  #keep(
    key: string,
    from: readonly unknown[],
    make: (before: Made, report: Report) => Made,
    workload?: string,
  ): Kept {
    const known = this.#kept.get(key);
    if (known?.from.every((each, at) => each === from[at]) === true) return known;
    const inexpressible: Inexpressible[] = [];
    const resources = make(known?.resources ?? none, (what) => inexpressible.push(what));
    const kept = { from, resources, inexpressible, workload };
    this.#kept.set(key, kept);
    return kept;
  }

  #joined(key: string, first: Resources, second: Resources): Resources {
    if (second.size === 0) return first;
    if (first.size === 0) return second;
    const joined = this.#keep(key, [first, second], () => ({
      ...none,
      cluster: new Map([...first, ...second]),
    }));
    return joined.resources.cluster;
  }
}

const nobody = { namespace: '', labels: {} };

type Made = Omit<Snapshot, 'version'>;

interface Kept {
  readonly from: readonly unknown[];
  readonly resources: Made;
  readonly inexpressible: readonly Inexpressible[];
  readonly workload: string | undefined;
}

const none: Made = {
  cluster: noResources,
  endpoints: noResources,
  secret: noResources,
  listener: noResources,
  route: noResources,
};
const empty: Kept = { from: [], resources: none, inexpressible: [], workload: undefined };

/** What was made of a cluster, and from which endpoints. */
interface MadeCluster {
  readonly assignment: Assignment | undefined;
  readonly resource: XdsResource | undefined;
  readonly reports: readonly Inexpressible[];
}

/** Whether a cluster itself is another with other endpoints: it names them, or the identities that they prove. */
function mattersTo(
  cluster: Cluster | undefined,
  before: Assignment | undefined,
  now: Assignment | undefined,
): boolean {
  if (before === now || cluster === undefined) return false;
  return cluster.source !== 'endpoints' || identitiesOf(before).join() !== identitiesOf(now).join();
}

function assignmentResource(
  cluster: Cluster | undefined,
  assignment: Assignment | undefined,
  locality: Locality,
): XdsResource | undefined {
  if (cluster?.source !== 'endpoints' || assignment === undefined) return undefined;
  return endpointsResource(cluster, assignment, locality);
}

const changed = new WeakMap<MeshModel['assignments'], WeakMap<MeshModel['assignments'], readonly string[]>>();

/** The names of the assignments that are not the same object in both. Each pair is compared once, for all localities. */
function changedAssignments(
  before: MeshModel['assignments'] | undefined,
  now: MeshModel['assignments'],
): readonly string[] {
  if (before === undefined) return [...now.keys()];
  const ofBefore = changed.get(before) ?? new WeakMap<MeshModel['assignments'], readonly string[]>();
  changed.set(before, ofBefore);
  let names = ofBefore.get(now);
  if (names === undefined) {
    names = [
      ...[...now].filter(([name, each]) => before.get(name) !== each).map(([name]) => name),
      ...[...before.keys()].filter((name) => !now.has(name)),
    ];
    ofBefore.set(now, names);
  }
  return names;
}

/** The map of before if all is as it was. */
function sameResources(before: Resources, now: Resources): Resources {
  if (before.size !== now.size) return now;
  for (const [name, each] of now) if (before.get(name) !== each) return now;
  return before;
}

/** By name. What is as it was is the same object, and the same map if all is. */
function named(made: readonly XdsResource[], before: Resources): Resources {
  let isSame = made.length === before.size;
  const next = new Map<string, XdsResource>();
  for (const resource of made) {
    const old = before.get(resource.name);
    const kept = old?.version === resource.version ? old : resource;
    isSame &&= kept === old;
    next.set(resource.name, kept);
  }
  return isSame && next.size === before.size ? before : next;
}
