import type { Locality } from '../../model/endpoint.ts';
import { localityText } from '../../model/endpoint.ts';
import type { Workload } from '../../model/listener.ts';
import type { MeshModel } from '../../model/mesh-model.ts';
import { noResources, type Resources, type Snapshot, type XdsResource } from '../ads/resource.ts';
import { clusterResource } from './cluster.ts';
import { endpointsResource } from './endpoints.ts';
import { gateways } from './gateway.ts';
import { grpcClusterResource } from './grpc-cluster.ts';
import { grpcClients, grpcServers } from './grpc-listener.ts';
import { inbound } from './inbound.ts';
import { outbound } from './outbound.ts';
import type { Inexpressible, Plane, Report } from './plane.ts';
import { isByCaller, servicesFor } from './scope.ts';

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
    const clusters = this.#clusters(model, plane);
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

  #clusters(model: MeshModel, plane: Plane): Kept {
    return this.#keep(`clusters ${plane}`, [model.clusters, model.assignments], (before, report) => {
      const made = [...model.clusters.values()].flatMap((cluster) => {
        const assignment = model.assignments.get(cluster.name);
        const resource =
          plane === 'envoy'
            ? clusterResource(cluster, assignment)
            : grpcClusterResource(cluster, assignment, report);
        return resource ?? [];
      });
      return { ...none, cluster: named(made, before.cluster) };
    });
  }

  #endpoints(model: MeshModel, locality: Locality): Resources {
    const key = `endpoints ${localityText(locality)}`;
    const before = this.#kept.get(key);
    const [clusters, assignments] = (before?.from ?? []) as [
      MeshModel['clusters'] | undefined,
      MeshModel['assignments'] | undefined,
    ];
    const kept = this.#keep(key, [model.clusters, model.assignments], (old) => {
      const made: XdsResource[] = [];
      for (const [name, assignment] of model.assignments) {
        const cluster = model.clusters.get(name);
        if (cluster?.source !== 'endpoints') continue;
        const known = old.endpoints.get(name);
        const isSame = assignments?.get(name) === assignment && clusters?.get(name) === cluster;
        made.push(isSame && known !== undefined ? known : endpointsResource(cluster, assignment, locality));
      }
      return { ...none, endpoints: named(made, old.endpoints) };
    });
    return kept.resources.endpoints;
  }

  #outbound(model: MeshModel, plane: Plane, workload: Workload | undefined): Kept {
    const caller = workload ?? { namespace: '', labels: {} };
    // Most see the same, whoever they are.
    const isOwn = model.services.some((each) => each.visibleIn.length > 0 || isByCaller(each));
    const labels = isOwn ? `${caller.namespace} ${JSON.stringify(caller.labels)}` : '';
    return this.#keep(`outbound ${plane} ${labels}`, [model.services, model.clusters], (before, report) => {
      const services = isOwn ? servicesFor(model.services, caller) : model.services;
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

  #own(model: MeshModel, plane: Plane, workload: Workload | undefined): Kept {
    if (workload === undefined) return empty;
    const name = `${workload.namespace}/${workload.name}`;
    const from = [workload, workload.gateway === undefined ? undefined : model.clusters];
    const make = (before: Made, report: Report): Made => {
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
