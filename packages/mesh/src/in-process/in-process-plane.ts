import { HeddleError, type Layer, type Runtime, type TlsSource } from '@heddle/kernel';
import type { ReadFile } from '@heddle/proxy/layers';
import type { HttpRequest, HttpResponse, HttpService, ServeTls } from '@heddle/wire';
import type { Locality, MeshModel } from '../model/index.ts';
import type { PartRefusal } from '../plane/plane-messages.ts';
import { Clusters } from '../sidecar/clusters.ts';
import { byName, OutboundServices } from '../sidecar/outbound.ts';
import { unbounded } from '../sidecar/retry-rule.ts';
import { ServedPorts, type ServedPortsOptions } from './served-ports.ts';

/** What the rules of a mesh in this process are made from. */
export interface InProcessPlaneOptions extends ServedPortsOptions {
  readonly runtime: Runtime;
  /** What it shows to others, and whom it believes; undefined: it speaks no mesh TLS. */
  readonly identity: TlsSource | undefined;
  /** Where it runs, if the rules do not say. */
  readonly locality?: Locality;
  /** Files that rules name: authorities and certificates for TLS with the outside. */
  readonly files: ReadFile;
  /** The addresses of a name of the outside world. */
  readonly lookUp: (name: string) => Promise<readonly string[]>;
}

const nowhere: Locality = { region: '', zone: '', subZone: '' };

/**
 * The rules of a mesh within a program, without a proxy beside it: its calls go through `http`, its servers stand behind
 * `guard`. Both do as the newest model says from the moment that `apply` returns; calls that are under way end as they
 * began. For `ModelFollower`, which follows the control plane.
 */
export class InProcessPlane {
  /** What servers of this program speak TLS by; undefined without an identity. Whether they must is the guard's to say. */
  readonly tls: ServeTls | undefined;
  readonly #options: InProcessPlaneOptions;
  readonly #clusters: Clusters;
  readonly #outbound: OutboundServices;
  readonly #served: ServedPorts;
  #byPort: ReadonlyMap<number, HttpService> = new Map();
  #locality: Locality = nowhere;

  constructor(options: InProcessPlaneOptions) {
    const { runtime, identity, files, lookUp } = options;
    this.#options = options;
    this.#locality = options.locality ?? nowhere;
    const locality = (): Locality => this.#locality;
    this.#clusters = new Clusters({ runtime, identity, files, lookUp, locality });
    const place = (cluster: string): ReturnType<Clusters['place']> => this.#clusters.place(cluster);
    this.#outbound = new OutboundServices({ place, budget: unbounded(runtime.clock) });
    this.#served = new ServedPorts(options);
    // Plaintext gets as far as the guard, so that a change of the mode needs no other port and drops no connection.
    this.tls = identity && { source: identity, clients: 'require', plaintext: true };
  }

  /**
   * To any service of the mesh, chosen by the host and port of the request's authority, under the rules of that service.
   * Rejects with `not_found` / `NO_SERVICE` for one that the mesh does not know.
   */
  readonly http: HttpService = (req, call) => {
    const services = this.#byPort.get(portOf(req));
    return services === undefined ? Promise.reject(noSuchPort(req.authority)) : services(req, call);
  };

  /** Before a server of this program: who may come to the port of that number, by mTLS, tokens and policies. */
  guard(port: number): Layer<HttpRequest, HttpResponse> {
    return this.#served.guard(port);
  }

  /** Does as the model says from now on, but for what is refused: that goes on as it was. For `ModelFollower`. */
  apply(model: MeshModel): readonly PartRefusal[] {
    const own = model.workloads.get(this.#options.workload);
    this.#locality =
      own === undefined || own.locality.region === '' ? (this.#options.locality ?? nowhere) : own.locality;
    // Clusters first: rules lead there.
    const refused = [...this.#clusters.apply(model), ...this.#outbound.apply(model.services)];
    // Bytes have no requests: whoever sends them needs a proxy.
    const spoken = this.#outbound.all.filter(({ listener }) => listener.protocol !== 'tcp');
    const ports = Map.groupBy(spoken, ({ listener }) => listener.port);
    this.#byPort = new Map([...ports].map(([port, services]) => [port, byName(services)]));
    return [...refused, ...this.#served.apply(own)];
  }

  /** Resolves when no call is in flight. */
  drain(): Promise<void> {
    return this.#clusters.drain();
  }

  /** Drops all connections. */
  close(): void {
    this.#clusters.close();
  }
}

function portOf({ authority, scheme }: HttpRequest): number {
  const written = /:(\d{1,5})$/.exec(authority)?.[1];
  return written === undefined ? (scheme === 'https' ? 443 : 80) : Number(written);
}

function noSuchPort(authority: string): HeddleError {
  const message = `the mesh has no service ${authority.slice(0, 200)}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SERVICE', message, sent: false });
}
