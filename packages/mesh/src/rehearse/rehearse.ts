import { authorization, type Authorization } from '../authorization/index.ts';
import type { MeshModel, ServiceListener, Workload } from '../model/index.ts';
import type { Resource } from '../resources/index.ts';
import { Directory, translate, type TranslateOptions } from '../translate/index.ts';
import type { RecordedCall } from './recorded-call.ts';
import { destinationOf } from './route-call.ts';

/** Calls that a change would treat differently: those of one caller to one host, by the same two outcomes. */
export interface Difference {
  readonly from: string;
  readonly host: string;
  readonly what: 'destination' | 'verdict';
  readonly before: string;
  readonly after: string;
  readonly calls: number;
  /** One of them: `GET /cart`. */
  readonly example: string;
}

/** What a change would do to the calls that were recorded. */
export interface Rehearsal {
  readonly calls: number;
  readonly changed: number;
  /** The most calls first. */
  readonly differences: readonly Difference[];
}

/** Replays recorded calls against the rules of before and after: which would go elsewhere, or be judged otherwise. */
export function rehearse(
  before: readonly Resource[],
  after: readonly Resource[],
  calls: readonly RecordedCall[],
  options: TranslateOptions = {},
): Rehearsal {
  const [old, next] = [new Judge(before, options), new Judge(after, options)];
  const differences = new Map<string, Difference>();
  let [total, changed] = [0, 0];
  for (const call of calls) {
    total += call.count;
    const [was, will] = [old.outcome(call), next.outcome(call)];
    let differs = false;
    for (const what of ['destination', 'verdict'] as const) {
      if (was[what] === will[what]) continue;
      differs = true;
      const key = JSON.stringify([call.from, call.host, what, was[what], will[what]]);
      const known = differences.get(key);
      const calls = (known?.calls ?? 0) + call.count;
      const { from, host } = call;
      const example = known?.example ?? `${call.method} ${call.path}`;
      differences.set(key, { from, host, what, before: was[what], after: will[what], calls, example });
    }
    if (differs) changed += call.count;
  }
  return {
    calls: total,
    changed,
    differences: [...differences.values()].toSorted(
      (a, b) => b.calls - a.calls || a.host.localeCompare(b.host),
    ),
  };
}

/** Decides about calls under one set of rules; what policies say of a workload is compiled once. */
class Judge {
  readonly #model: MeshModel;
  readonly #directory: Directory;
  readonly #rules = new Map<Workload, Authorization>();
  readonly #byHost = new Map<string, readonly Workload[]>();

  constructor(resources: readonly Resource[], options: TranslateOptions) {
    this.#model = translate(resources, options);
    this.#directory = new Directory(resources, options.domain ?? 'cluster.local');
  }

  outcome(call: RecordedCall): { readonly destination: string; readonly verdict: string } {
    const { text, listener } = destinationOf(call, this.#model);
    return { destination: text, verdict: listener === undefined ? 'none' : this.#verdict(call, listener) };
  }

  /** What the workloads behind a service say; where they differ, all of it. */
  #verdict(call: RecordedCall, listener: ServiceListener): string {
    const verdicts = this.#workloadsOf(listener).map((workload) => this.#verdictOf(call, listener, workload));
    return verdicts.length === 0 ? 'no workload' : [...new Set(verdicts)].toSorted().join(' or ');
  }

  #verdictOf(call: RecordedCall, listener: ServiceListener, workload: Workload): string {
    const inbound = this.#inboundOf(listener, workload);
    if (inbound?.mtls === 'strict' && call.principal === '') return 'refused: plaintext';
    const { allowed, reason, policy } = this.#rulesOf(workload).decide({
      principal: call.principal,
      sourceIp: call.sourceIp,
      remoteIp: call.sourceIp,
      destinationIp: '',
      destinationPort: inbound?.target.port ?? listener.port,
      sni: '',
      http: { method: call.method, path: call.path, host: call.host, header: (name) => call.headers[name] },
    });
    return allowed ? 'allowed' : `refused: ${policy === '' ? reason : policy}`;
  }

  #rulesOf(workload: Workload): Authorization {
    const known = this.#rules.get(workload);
    if (known !== undefined) return known;
    const made = authorization(workload.policies);
    this.#rules.set(workload, made);
    return made;
  }

  /** The port of a workload that a service's port leads to. */
  #inboundOf(
    { host, port }: ServiceListener,
    { inbound }: Workload,
  ): Workload['inbound'][number] | undefined {
    const service = this.#directory.find(host, '');
    const target = service?.ports.find(({ number }) => number === port)?.target;
    return (
      inbound.find((each) => each.target.port === target) ??
      (typeof target === 'string' ? inbound[0] : undefined)
    );
  }

  /** The workloads that a service selects. */
  #workloadsOf({ host }: ServiceListener): readonly Workload[] {
    const known = this.#byHost.get(host);
    if (known !== undefined) return known;
    const service = this.#directory.find(host, '');
    const wanted = Object.entries(service?.selector ?? {});
    const found = [...this.#model.workloads.values()].filter(
      ({ namespace, labels }) =>
        namespace === service?.namespace &&
        wanted.length > 0 &&
        wanted.every(([key, value]) => labels[key] === value),
    );
    this.#byHost.set(host, found);
    return found;
  }
}
