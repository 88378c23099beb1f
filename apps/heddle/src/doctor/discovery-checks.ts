import type { Registry, Snapshot } from '@heddle/discovery';
import { type Code, HeddleError, type Runtime } from '@heddle/kernel';

/** What one check found. */
export interface Finding {
  readonly check: string;
  /** `unsupported`: this kind of registry cannot do it, which is no fault. */
  readonly result: 'ok' | 'warning' | 'failed' | 'unsupported' | 'skipped';
  /** What was seen: for a failure what is wrong and what to do. */
  readonly detail: string;
}

/** What is examined. */
export interface Examination {
  readonly registry: Registry;
  readonly runtime: Runtime;
  /** Register nothing, only look. */
  readonly readOnly: boolean;
}

const service = 'heddle-doctor';
const asks = 5;
const slowMs = 500;
const skewLimitMs = 5000;
const seenWithinMs = 10_000;

/** Examines a registry, in the order in which a failure explains those after it. Never rejects. */
export async function examineDiscovery(examination: Examination): Promise<readonly Finding[]> {
  const reach = await checkReach(examination);
  const isStuck = reach.some(({ result }) => result === 'failed');
  if (isStuck)
    return [...reach, { check: 'the rest', result: 'skipped', detail: 'examined once this is well' }];
  const latency = await checkLatency(examination);
  return [...reach, latency, ...(await checkWriting(examination))];
}

/** Reach and permission are one question, told apart by how it fails. */
async function checkReach({ registry, runtime }: Examination): Promise<Finding[]> {
  const startedMs = runtime.clock.nowMs();
  try {
    await registry.instances(service);
    const tookMs = Math.round(runtime.clock.nowMs() - startedMs);
    return [
      { check: 'reach', result: 'ok', detail: `answered in ${tookMs} ms, connection included` },
      { check: 'access', result: 'ok', detail: 'we may read' },
    ];
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    const isRefusal = error.code === 'unauthenticated' || error.code === 'permission_denied';
    const detail = `${error.message}. ${adviceFor(error)}`;
    if (!isRefusal) return [{ check: 'reach', result: 'failed', detail }];
    return [
      { check: 'reach', result: 'ok', detail: 'it answers' },
      { check: 'access', result: 'failed', detail },
    ];
  }
}

const advice: Readonly<Partial<Record<Code, string>>> = {
  unauthenticated:
    'give the token or password in HEDDLE_REGISTRY_SECRET or by secret-file=, and user= where there are users',
  permission_denied: 'grant this user to read and write what docs/discovery.md lists for the backend',
  deadline_exceeded: 'look whether the registry is overloaded, or a firewall drops packets without a word',
  unavailable: 'check host and port, that the registry runs, and whether it wants TLS (+tls in the URL)',
};

/** What to do about an error. */
function adviceFor({ code, reason }: HeddleError): string {
  const isCertificate = reason.startsWith('CERTIFICATE') || reason === 'NAME_MISMATCH';
  if (isCertificate) return 'Do: name the authority that signed it by ca-file=, and the host that it is for';
  return `Do: ${advice[code] ?? 'check that the URL names the right kind of registry'}`;
}

async function checkLatency({ registry, runtime }: Examination): Promise<Finding> {
  const tookMs: number[] = [];
  try {
    for (let ask = 0; ask < asks; ask++) {
      const startedMs = runtime.clock.nowMs();
      await registry.instances(service);
      tookMs.push(runtime.clock.nowMs() - startedMs);
    }
  } catch (thrown) {
    return failed('latency', thrown);
  }
  const median = tookMs.toSorted((a, b) => a - b)[Math.floor(asks / 2)] ?? 0;
  const worst = Math.max(...tookMs);
  const detail = `median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms of ${asks}`;
  if (median <= slowMs) return { check: 'latency', result: 'ok', detail };
  return { check: 'latency', result: 'warning', detail: `${detail}: leases want less than ${slowMs} ms` };
}

/** Registers an instance that nobody calls (weight 0), and looks whether it is seen to come and to go. */
async function checkWriting(examination: Examination): Promise<Finding[]> {
  const { registry, runtime, readOnly } = examination;
  if (readOnly) {
    return [
      await checkWatchAlone(examination),
      { check: 'register', result: 'skipped', detail: 'by --read-only' },
    ];
  }
  const id = `doctor-${runtime.random.uuid()}`;
  const seen = new Sightings(examination, id);
  try {
    const startedMs = runtime.clock.nowMs();
    const held = await registry.register({
      id,
      service,
      address: '127.0.0.1',
      port: 9,
      weight: 0,
      protocol: 'tcp',
    });
    if (held.problem !== undefined)
      return [failed('register', held.problem), ...(await takenBack(examination, id))];
    const registeredMs = runtime.clock.nowMs();
    const registering = ok('register', `confirmed in ${Math.round(registeredMs - startedMs)} ms`);
    const watching = await seen.until(true);
    const clock = await checkClock(examination, id);
    const leaving = await takenBack(examination, id);
    const gone = await seen.until(false);
    return [registering, clock, watching, ...leaving, ...(gone.result === 'ok' ? [] : [gone])];
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    if (error.code === 'unimplemented') {
      return [
        { check: 'register', result: 'unsupported', detail: error.message },
        await checkWatchAlone(examination),
      ];
    }
    return [failed('register', error)];
  } finally {
    seen.stop();
  }
}

async function takenBack({ registry, runtime }: Examination, id: string): Promise<Finding[]> {
  const startedMs = runtime.clock.nowMs();
  try {
    await registry.deregister(service, id);
    return [ok('deregister', `taken back in ${Math.round(runtime.clock.nowMs() - startedMs)} ms`)];
  } catch (thrown) {
    return [failed('deregister', thrown)];
  }
}

/** The registry's time of day by the heartbeat that it noted of us. */
async function checkClock({ registry, runtime }: Examination, id: string): Promise<Finding> {
  const { instances } = await registry.instances(service);
  const heartbeatMs = instances.find((each) => each.id === id)?.lastHeartbeatMs ?? 0;
  if (heartbeatMs === 0)
    return { check: 'clock', result: 'unsupported', detail: 'this registry tells no time' };
  const skewMs = runtime.clock.wallMs() - heartbeatMs;
  const detail = `${Math.abs(skewMs / 1000).toFixed(1)} s ${skewMs < 0 ? 'behind' : 'ahead of'} the registry`;
  if (Math.abs(skewMs) <= skewLimitMs) return ok('clock', detail);
  const why = 'leases do not mind, but times in logs and certificates do. Do: set the clock by NTP';
  return { check: 'clock', result: 'warning', detail: `we are ${detail}: ${why}` };
}

async function checkWatchAlone({ registry, runtime }: Examination): Promise<Finding> {
  const abort = new AbortController();
  const limit = runtime.timers.after(seenWithinMs, () => abort.abort());
  try {
    const { done } = await registry.watch(service, abort.signal).next();
    if (done === true) return unseen('a first snapshot');
    return ok('watch', 'gives a first snapshot');
  } finally {
    limit.cancel();
    abort.abort();
  }
}

/** What a watch shows of one instance. */
class Sightings {
  readonly #runtime: Runtime;
  readonly #id: string;
  readonly #abort = new AbortController();
  #latest: Snapshot | undefined;
  #wake: (() => void) | undefined;

  constructor({ registry, runtime }: Examination, id: string) {
    this.#runtime = runtime;
    this.#id = id;
    void this.#follow(registry);
  }

  async until(there: boolean): Promise<Finding> {
    const startedMs = this.#runtime.clock.nowMs();
    while (this.#isThere !== there) {
      const leftMs = startedMs + seenWithinMs - this.#runtime.clock.nowMs();
      if (leftMs <= 0) return unseen(there ? 'what we registered' : 'that it has gone');
      await this.#nextChange(leftMs);
    }
    return ok(
      'watch',
      `saw it ${Math.round(this.#runtime.clock.nowMs() - startedMs)} ms after it was confirmed`,
    );
  }

  stop(): void {
    this.#abort.abort();
  }

  get #isThere(): boolean {
    return this.#latest?.instances.some(({ id }) => id === this.#id) === true;
  }

  #nextChange(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#runtime.timers.after(withinMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async #follow(registry: Registry): Promise<void> {
    for await (const snapshot of registry.watch(service, this.#abort.signal)) {
      this.#latest = snapshot;
      this.#wake?.();
    }
  }
}

function ok(check: string, detail: string): Finding {
  return { check, result: 'ok', detail };
}

function unseen(what: string): Finding {
  const detail = `it did not show ${what} within ${seenWithinMs / 1000} s. Do: look whether a proxy in between holds long answers back`;
  return { check: 'watch', result: 'failed', detail };
}

function failed(check: string, thrown: unknown): Finding {
  const error = HeddleError.from(thrown);
  return { check, result: 'failed', detail: `${error.message}. ${adviceFor(error)}` };
}
