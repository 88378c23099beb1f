import { type Call, type Connection, HeddleError } from '@heddle/kernel';
import type { HttpService } from '@heddle/wire';
import { type Assignment, type Cluster, localityText, type MeshModel } from '../model/index.ts';
import { clusterPart } from '../plane/model-parts.ts';
import type { PartRefusal } from '../plane/plane-messages.ts';
import { type ClusterSurroundings, RunningCluster } from './running-cluster.ts';

/** The place of a cluster in the rules of services: who runs there may change under it. */
export class ClusterPlace {
  readonly name: string;
  current: RunningCluster | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** To one of its instances. */
  readonly send: HttpService = (req, call) =>
    this.current === undefined ? Promise.reject(this.#nobody()) : this.current.service(req, call);

  /** As `send`, with the key that its rules make of a request. Above what repeats. */
  hashed(next: HttpService): HttpService {
    return (req, call) => {
      const hash = this.current?.hash;
      return hash === undefined ? next(req, call) : hash.serve(next, req, call);
    };
  }

  /** For bytes that nobody looks into. */
  connection(call: Call): Promise<Connection> {
    return this.current?.connection(call) ?? Promise.reject(this.#nobody());
  }

  #nobody(): HeddleError {
    const message = `the rules know no cluster ${this.name}`;
    return new HeddleError({ code: 'unavailable', reason: 'NO_CLUSTER', message, sent: false });
  }
}

interface Known {
  readonly place: ClusterPlace;
  assignment: Assignment | undefined;
  from: string;
}

/** The clusters of a model, kept in step with it: a change touches those alone that it is about. */
export class Clusters {
  readonly #surroundings: ClusterSurroundings;
  readonly #known = new Map<string, Known>();
  readonly #leaving = new Set<RunningCluster>();

  constructor(surroundings: ClusterSurroundings) {
    this.#surroundings = surroundings;
  }

  /** The place of that name, whether anybody runs there or not. */
  place(name: string): ClusterPlace {
    return this.#get(name).place;
  }

  /** As the model says, but for what is refused: that goes on as it was. */
  apply({ clusters, assignments }: MeshModel): readonly PartRefusal[] {
    const refused: PartRefusal[] = [];
    for (const [name, cluster] of clusters) {
      try {
        this.#run(cluster, assignments.get(name));
      } catch (thrown) {
        refused.push({ part: clusterPart(name), message: HeddleError.from(thrown).message });
      }
    }
    for (const [name, { place }] of this.#known) {
      if (clusters.has(name)) continue;
      if (place.current !== undefined) this.#letGo(place.current);
      place.current = undefined;
      this.#known.delete(name);
    }
    return refused;
  }

  /** Resolves when no call is in flight. */
  async drain(): Promise<void> {
    await Promise.all(this.#running().map((each) => each.drain()));
  }

  /** Drops all connections. */
  close(): void {
    for (const each of this.#running()) each.close();
  }

  #running(): RunningCluster[] {
    const now = [...this.#known.values()].flatMap(({ place }) => place.current ?? []);
    return [...now, ...this.#leaving];
  }

  #get(name: string): Known {
    const known = this.#known.get(name) ?? {
      place: new ClusterPlace(name),
      assignment: undefined,
      from: '',
    };
    this.#known.set(name, known);
    return known;
  }

  #run(cluster: Cluster, assignment: Assignment | undefined): void {
    const known = this.#get(cluster.name);
    const { place } = known;
    const from = localityText(this.#surroundings.locality());
    if (place.current?.cluster !== cluster) {
      const next = new RunningCluster(cluster, this.#surroundings);
      next.assign(assignment);
      if (place.current !== undefined) this.#letGo(place.current);
      place.current = next;
    } else if (known.assignment !== assignment || known.from !== from) place.current.assign(assignment);
    known.assignment = assignment;
    known.from = from;
  }

  /** What is in flight there finishes. */
  #letGo(cluster: RunningCluster): void {
    this.#leaving.add(cluster);
    void cluster.drain().finally(() => this.#leaving.delete(cluster));
  }
}
