import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import type { MetricRegistry } from '../metrics/registry.ts';
import type { Counter } from '../metrics/counter.ts';
import type { LogData } from '../otlp/signal.ts';
import { WriteAheadLog } from '../store/write-ahead-log.ts';
import { type BulkLine, bulkLines } from './bulk-document.ts';
import { LogStoreClient } from './log-store-client.ts';

/** What a shipper is told. */
export interface LogShipperOptions {
  readonly runtime: Runtime;
  /** Of OpenSearch or Elasticsearch, http or https. */
  readonly url: string;
  /** Value of the header `authorization`, such as `Basic …` or `ApiKey …`. */
  readonly authorization?: string | undefined;
  /** Indexes are called `<prefix>-YYYY.MM.DD`. Default `microservices-logs`. */
  readonly prefix?: string;
  /** Where lines wait, below the runtime's disk. Default `log-shipping`. */
  readonly folder?: string;
  /** How much may wait there; what comes beyond is refused, so that its sender keeps it. Default 1 GiB. */
  readonly maxBytes?: number;
  readonly metrics: MetricRegistry;
}

const everyMs = 500;
const mostLines = 2000;
const firstRetryMs = 500;
const lastRetryMs = 30_000;
/** How long a stop goes on shipping. */
const lastWordsMs = 3000;

/**
 * Ships lines to a log store. A line is taken when it is on disk, and waits there for as long as the store is away; each has
 * an id that stays the same, so that it arrives once however often it is sent. What the store refuses for good is put aside in
 * `<folder>/refused`, with its reason.
 */
export class LogShipper implements Part {
  readonly name = 'log shipping';
  readonly #options: LogShipperOptions;
  readonly #runtime: Runtime;
  readonly #client: LogStoreClient;
  readonly #log: WriteAheadLog;
  readonly #folder: string;
  readonly #prefix: string;
  readonly #counts: Readonly<Record<'shipped' | 'refused' | 'failures', Counter>>;
  /** Bytes by segment, the oldest first. The last is the one that is written to. */
  readonly #segments = new Map<string, number>();
  /** Of the segment that is being shipped: those that were put aside. */
  readonly #aside = new Set<string>();
  #number = 0;
  #appending = 0;
  #idle: (() => void) | undefined;
  #turning: Promise<void> | undefined;
  #timer: Timer | undefined;
  #working: Promise<void> | undefined;
  #failures = 0;
  #prepared = false;
  #stopped = false;

  constructor(options: LogShipperOptions) {
    const { runtime, prefix = 'microservices-logs', folder = 'log-shipping', metrics } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.#prefix = prefix;
    this.#folder = folder;
    this.#client = new LogStoreClient({ ...options, runtime: { ...runtime, spans: undefined }, prefix });
    this.#log = new WriteAheadLog(runtime.disk, `${folder}/waiting`, this.#nextName());
    this.#counts = shippingMetrics(metrics, this);
  }

  /** Bytes that wait. */
  get waitingBytes(): number {
    let sum = 0;
    for (const bytes of this.#segments.values()) sum += bytes;
    return sum;
  }

  /** Finds what earlier processes have left. */
  async start(): Promise<void> {
    for (const segment of await this.#log.segments()) {
      const file = await this.#runtime.disk.open(`${this.#folder}/waiting/${segment}`);
      this.#segments.set(segment, file.size);
      await file.close();
    }
    this.#soon(0);
  }

  /** What waits is shipped by the next process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    // A store that does not answer must not hold the process.
    const timer = this.#runtime.timers.after(this.#failures > 0 ? 0 : lastWordsMs, () =>
      this.#client.close(),
    );
    await this.#working;
    if (this.#failures === 0) await this.#round().catch(() => {});
    timer.cancel();
    await this.#log.close();
    this.#client.close();
  }

  /**
   * Takes the lines of a request; they are on disk when it resolves. Rejects with `unavailable` / `LOGS_WAIT` when there is no
   * room for more, having taken none.
   */
  async take(request: Uint8Array, lines: readonly LogData[]): Promise<void> {
    if (lines.length === 0) return;
    const record = new TextEncoder().encode(JSON.stringify(bulkLines(this.#prefix, request, lines)));
    const { maxBytes = 1024 ** 3 } = this.#options;
    if (this.waitingBytes + record.byteLength > maxBytes) throw full(maxBytes);
    while (this.#turning !== undefined) await this.#turning;
    this.#appending++;
    const { segment } = this.#log;
    try {
      await this.#log.append({ kind: 0, bytes: record });
      this.#segments.set(segment, (this.#segments.get(segment) ?? 0) + record.byteLength);
    } finally {
      this.#appending--;
      if (this.#appending === 0) this.#idle?.();
    }
    this.#soon(everyMs);
  }

  #soon(delayMs: number): void {
    if (this.#timer !== undefined || this.#working !== undefined || this.#stopped) return;
    this.#timer = this.#runtime.timers.after(delayMs, () => {
      this.#timer = undefined;
      this.#working = this.#work().finally(() => {
        this.#working = undefined;
        if (this.#segments.size > 0) this.#soon(this.#pauseMs());
      });
    });
  }

  async #work(): Promise<void> {
    try {
      await this.#round();
      if (this.#failures > 0) this.#runtime.log('info', 'the log store takes lines again');
      this.#failures = 0;
    } catch (thrown) {
      this.#counts.failures.inc();
      this.#failures++;
      const { message } = HeddleError.from(thrown);
      // Once, and not for each try of an hour.
      if (this.#failures === 1) this.#runtime.log('warn', 'lines wait for the log store', { error: message });
    }
  }

  /** Doubled after each failure, and somewhere between half and all of it. */
  #pauseMs(): number {
    if (this.#failures === 0) return everyMs;
    const most = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 10));
    return most * (0.5 + this.#runtime.random.float() / 2);
  }

  /** Ships all that waits, segment by segment. */
  async #round(): Promise<void> {
    if (this.#segments.size === 0) return;
    if (!this.#prepared) await this.#client.prepare();
    this.#prepared = true;
    await this.#turn();
    for (const segment of this.#segments.keys()) {
      if (segment === this.#log.segment) continue;
      await this.#ship(segment);
      await this.#log.remove(segment);
      this.#segments.delete(segment);
      this.#aside.clear();
    }
  }

  async #ship(segment: string): Promise<void> {
    const records = await this.#log.read(segment);
    const lines = records.flatMap(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)) as BulkLine[]);
    for (let at = 0; at < lines.length; at += mostLines) {
      const { kept, again, refused } = await this.#client.bulk(lines.slice(at, at + mostLines));
      this.#counts.shipped.inc(kept);
      for (const { line, why } of refused) await this.#putAside(line, why);
      // The segment stays, and all of it is sent once more: what has arrived is known by its id.
      if (again.length > 0) throw busy(again.length);
    }
  }

  async #putAside(line: BulkLine, why: string): Promise<void> {
    if (this.#aside.has(line.id)) return;
    this.#aside.add(line.id);
    this.#counts.refused.inc();
    this.#runtime.log('error', 'the log store refuses a line', { id: line.id, why });
    const file = await this.#runtime.disk.open(`${this.#folder}/refused`);
    await file.append(new TextEncoder().encode(`${JSON.stringify({ why, ...line })}\n`));
    await file.close();
  }

  /** Begins a new segment when nothing is on its way into the old one. */
  async #turn(): Promise<void> {
    let turned: () => void = () => {};
    this.#turning = new Promise((resolve) => {
      turned = resolve;
    });
    try {
      if (this.#appending > 0)
        await new Promise<void>((resolve) => {
          this.#idle = resolve;
        });
      await this.#log.turn(this.#nextName());
    } finally {
      this.#idle = undefined;
      this.#turning = undefined;
      turned();
    }
  }

  /** In the order of time, and no two alike. */
  #nextName(): string {
    this.#number++;
    const time = Math.floor(this.#runtime.clock.wallMs()).toString().padStart(15, '0');
    return `${time}-${String(this.#number).padStart(9, '0')}-${this.#runtime.random.uuid().slice(0, 8)}`;
  }
}

function shippingMetrics(
  registry: MetricRegistry,
  shipper: LogShipper,
): Readonly<Record<'shipped' | 'refused' | 'failures', Counter>> {
  const waiting = registry
    .gauge({ name: 'log_shipping_waiting_bytes', help: 'Lines on disk that wait for the log store.' })
    .series();
  registry.beforeExposition(() => waiting.set(shipper.waitingBytes));
  const counter = (name: string, help: string): Counter =>
    registry.counter({ name: `log_shipping_${name}_total`, help }).series();
  return {
    shipped: counter('shipped_lines', 'Lines that are in the log store.'),
    refused: counter('refused_lines', 'Lines that the log store will never take; they were put aside.'),
    failures: counter('failures', 'Rounds of shipping that came to nothing, and are done again.'),
  };
}

function full(maxBytes: number): HeddleError {
  const message = `${maxBytes} bytes of lines wait for the log store; send again in a while`;
  return new HeddleError({ code: 'unavailable', reason: 'LOGS_WAIT', message, sent: false });
}

function busy(lines: number): HeddleError {
  const message = `it has no room for ${lines} lines now`;
  return new HeddleError({ code: 'unavailable', reason: 'LOG_STORE', message });
}
