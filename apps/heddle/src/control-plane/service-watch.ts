import { type Instance, hostPort } from '@heddle/discovery';
import type { Attention, InstanceView, ServiceView, TrafficView } from './overview.ts';
import type { TrafficReading } from './traffic-reading.ts';
import { addTraffic, noTraffic, quantile, type Traffic, TrafficWindow } from './traffic-window.ts';

/** Rates and quantiles cover this much; a shorter span jumps about, a longer one hides what is happening. */
const spanMs = 10_000;
const historySteps = 150;
const errorShareAlarm = 0.05;
const fewestRequests = 10;
/** A loss is mentioned for so long at least, so that it is seen, and at most, since what stays missing was meant to. */
const lostShownMs = { least: 30_000, most: 600_000 };

interface Watched {
  instance: Instance;
  readonly window: TrafficWindow;
  metrics: InstanceView['metrics'];
  unreachable:
    | { readonly sinceMs: number /** How many answered until then, itself included. */; readonly of: number }
    | undefined;
}

interface Lost {
  readonly sinceMs: number;
  /** As many must answer again. */
  readonly of: number;
}

/** When things happened: both clocks, since ages are monotonic and people read the wall. */
export interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
}

/** What is known of one service over time. Pure: told about instances and readings, asked for a view. */
export class ServiceWatch {
  readonly name: string;
  readonly #instances = new Map<string, Watched>();
  readonly #lost = new Map<string, Lost>();
  readonly #perSecond: (number | null)[] = [];
  readonly #errors: (number | null)[] = [];
  #errorsSinceMs: number | undefined;
  #downSinceMs: number | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** True once there is nothing left to show. */
  get forgotten(): boolean {
    return this.#instances.size === 0 && this.#lost.size === 0;
  }

  /**
   * The registry's present list. One that is gone while it could not be reached was lost; one that answered to the
   * end had taken its leave.
   */
  listed(instances: readonly Instance[], at: Moment): void {
    const gone = new Set(this.#instances.keys());
    for (const instance of instances) {
      const known = this.#instances.get(instance.id);
      if (known !== undefined) known.instance = instance;
      else this.#join(instance);
      this.#lost.delete(instance.id);
      gone.delete(instance.id);
    }
    for (const id of gone) {
      const unreachable = this.#instances.get(id)?.unreachable;
      if (unreachable !== undefined) this.#lost.set(id, { sinceMs: at.wallMs, of: unreachable.of });
      this.#instances.delete(id);
    }
    this.#forgetLost(at);
    if (instances.length > 0) this.#downSinceMs = undefined;
    else this.#downSinceMs ??= at.wallMs;
  }

  /** One instance's metrics; undefined if they could not be read. */
  read(id: string, reading: TrafficReading | undefined, at: Moment): void {
    const watched = this.#instances.get(id);
    if (watched === undefined) return;
    if (reading === undefined) {
      watched.unreachable ??= {
        sinceMs: at.wallMs,
        of: [...this.#live()].length + (watched.metrics === 'read' ? 0 : 1),
      };
      watched.metrics = 'unreachable';
      return;
    }
    watched.metrics = 'read';
    watched.unreachable = undefined;
    watched.window.add(at.nowMs, reading);
  }

  /** All instances have been read: a step of the history is complete. */
  stepped(at: Moment): void {
    const steps = [...this.#live()]
      .map(({ window }) => window.latestStep())
      .filter((step) => step !== undefined);
    const total = steps.reduce(addTraffic, noTraffic);
    const measured = steps.length > 0 && total.seconds > 0;
    push(this.#perSecond, measured ? total.requests / total.seconds : null);
    push(this.#errors, measured ? total.errors / total.seconds : null);
    const share = this.#errorShare();
    if (share === undefined || share < errorShareAlarm) this.#errorsSinceMs = undefined;
    else this.#errorsSinceMs ??= at.wallMs;
  }

  /** Its row in the console. */
  view(at: Moment): ServiceView {
    const rounded = (values: readonly (number | null)[]): (number | null)[] =>
      values.map((value) => (value === null ? null : round(value)));
    return {
      name: this.name,
      traffic: trafficView(this.#total()),
      instances: [...this.#instances.values()]
        .map((watched) => instanceView(watched, at))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
      history: { perSecond: rounded(this.#perSecond), errors: rounded(this.#errors) },
    };
  }

  /** What is wrong with it now. */
  attention(): Attention[] {
    const found: Attention[] = [];
    const add = (
      kind: Attention['kind'],
      level: Attention['level'],
      sinceMs: number,
      more: Partial<Pick<Attention, 'instance' | 'detail'>> = {},
    ): void => {
      found.push({ kind, level, service: this.name, sinceMs, instance: null, detail: null, ...more });
    };
    if (this.#downSinceMs !== undefined && this.#lost.size > 0)
      add('service_down', 'critical', this.#downSinceMs);
    if (this.#errorsSinceMs !== undefined) {
      add('errors', 'critical', this.#errorsSinceMs, { detail: String(this.#errorShare() ?? 0) });
    }
    for (const [id, { sinceMs }] of this.#lost) add('instance_lost', 'warning', sinceMs, { instance: id });
    for (const { instance, unreachable } of this.#instances.values()) {
      if (unreachable !== undefined) {
        add('instance_unreachable', 'warning', unreachable.sinceMs, { instance: instance.id });
      }
      if (instance.state === 'unhealthy' || instance.health === 'critical') {
        add('instance_state', 'warning', instance.lastHeartbeatMs, {
          instance: instance.id,
          detail: instance.state,
        });
      }
    }
    return found;
  }

  #join(instance: Instance): void {
    const window = new TrafficWindow(spanMs);
    this.#instances.set(instance.id, { instance, window, metrics: 'pending', unreachable: undefined });
  }

  #forgetLost({ wallMs }: Moment): void {
    const answering = [...this.#live()].length;
    for (const [id, lost] of this.#lost) {
      const forMs = wallMs - lost.sinceMs;
      if (forMs > lostShownMs.most || (forMs > lostShownMs.least && answering >= lost.of))
        this.#lost.delete(id);
    }
  }

  *#live(): Iterable<Watched> {
    for (const watched of this.#instances.values()) if (watched.metrics === 'read') yield watched;
  }

  #total(): Traffic | undefined {
    const each = [...this.#live()]
      .map(({ window }) => window.over())
      .filter((traffic) => traffic !== undefined);
    return each.length === 0 ? undefined : each.reduce(addTraffic, noTraffic);
  }

  #errorShare(): number | undefined {
    const total = this.#total();
    return total === undefined || total.requests < fewestRequests ? undefined : total.errors / total.requests;
  }
}

function instanceView({ instance, window, metrics }: Watched, { wallMs }: Moment): InstanceView {
  const { id, state, health, zone, version, protocol, lastHeartbeatMs } = instance;
  const live = metrics === 'read';
  return {
    id,
    state,
    health,
    zone,
    version,
    protocol,
    address: hostPort(instance),
    heartbeatAgeMs: lastHeartbeatMs === 0 ? null : Math.max(0, wallMs - lastHeartbeatMs),
    metrics,
    traffic: live ? trafficView(window.over()) : null,
    inFlight: live ? (window.latest?.inFlight ?? null) : null,
    cpuCores: live ? (window.cpuCores() ?? null) : null,
    residentBytes: live ? (window.latest?.residentBytes ?? null) : null,
  };
}

function trafficView(traffic: Traffic | undefined): TrafficView | null {
  if (traffic === undefined || traffic.seconds <= 0) return null;
  const milliseconds = (q: number): number | null => {
    const seconds = quantile(traffic, q);
    return seconds === undefined ? null : round(seconds * 1000);
  };
  return {
    perSecond: round(traffic.requests / traffic.seconds),
    errorShare: traffic.requests > 0 ? traffic.errors / traffic.requests : null,
    p50Ms: milliseconds(0.5),
    p95Ms: milliseconds(0.95),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function push(values: (number | null)[], value: number | null): void {
  values.push(value);
  if (values.length > historySteps) values.shift();
}
