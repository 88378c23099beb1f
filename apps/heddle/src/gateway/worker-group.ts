import { type Code, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { jsonAnswer } from '@heddle/proxy';
import { expose, expositionType, type MetricRegistry } from '@heddle/telemetry';
import { MemoryRateStore } from '@heddle/traffic';
import { Fields, type HttpService, wholeBody } from '@heddle/wire';
import type { Child, Processes, Program } from '../up/program.ts';
import { Supervised } from '../up/supervised.ts';
import type { Engines, EngineStatus } from './engines.ts';
import { mergedMetrics } from './merged-metrics.ts';
import type { Answer, Channel, Question, ToldError, ToSupervisor, ToWorker } from './messages.ts';
import type { Materials, Serving } from './serving.ts';
import { PlaceDesk } from './place-desk.ts';
import { RateDesk } from './rate-desk.ts';
import { VerdictBoard } from './verdict-board.ts';

/** A worker as a process, and the conversation with it. */
export interface WorkerChild extends Child {
  readonly channel: Channel<ToSupervisor, ToWorker>;
}

/** What a group is made from. */
export interface WorkerGroupOptions {
  readonly runtime: Runtime;
  readonly count: number;
  readonly serving: Serving;
  /** Starts a process that talks as `beginEngine` and `obey` do. */
  readonly fork: (program: Program) => WorkerChild;
  /** The supervisor's own. */
  readonly metrics: MetricRegistry;
}

/** A worker that runs. */
interface Worker {
  readonly child: WorkerChild;
  /** Of the configuration that it serves; 0 before it does. */
  number: number;
}

const answerMs = 10_000;

/**
 * The workers: one process that dies is replaced, the others go on meanwhile. A configuration is served by all of them
 * or by none: each makes it ready first. The limits of all are counted here.
 */
export class WorkerGroup implements Engines, Part {
  readonly name = 'workers';
  readonly #options: WorkerGroupOptions;
  readonly #desk: RateDesk;
  readonly #places: PlaceDesk<Worker>;
  readonly #verdicts: VerdictBoard;
  readonly #workers = new Set<Worker>();
  readonly #supervised: readonly Supervised[];
  readonly #waiting = new Map<string, (message: ToSupervisor | undefined) => void>();
  #serving: Serving;
  #number = 1;
  #lastId = 0;
  #leaving = false;
  #address: { host: string; port: number };
  #reported: ToldError | undefined;

  constructor(options: WorkerGroupOptions) {
    const { runtime, count, serving, metrics } = options;
    this.#options = options;
    this.#serving = serving;
    this.#address = serving.config.listen;
    this.#desk = new RateDesk(new MemoryRateStore(runtime.clock));
    this.#verdicts = new VerdictBoard(runtime.clock);
    this.#places = new PlaceDesk(serving.config.limits.maxRequests, (message) => {
      const { channel } = message.worker.child;
      if (message.kind === 'recall') channel.send({ kind: 'recall' });
      else channel.send({ kind: 'places', count: message.count });
    });
    const restarts = metrics.counter({
      name: 'gateway_worker_restarts_total',
      help: 'Workers that have died and were replaced.',
      labels: [],
    });
    const running = metrics.gauge({ name: 'gateway_workers', help: 'Workers that serve.', labels: [] });
    metrics.beforeExposition(() => running.series().set(this.#ready.length));
    const processes: Processes = { start: (program) => this.#started(program) };
    const note = (text: string): void => {
      if (text.includes('starting it again')) restarts.series().inc();
      runtime.log('warn', text);
    };
    this.#supervised = Array.from(
      { length: count },
      (_, at) => new Supervised(programOf(at + 1), processes, runtime, note),
    );
  }

  /** Where the workers listen. */
  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  async start(): Promise<void> {
    try {
      await Promise.all(this.#supervised.map((each) => each.start()));
    } catch (thrown) {
      for (const each of this.#supervised) each.kill();
      throw this.#reported === undefined ? thrown : errorOf(this.#reported);
    }
  }

  /** `/readyz` of all answers 503 from now on. */
  leave(): void {
    this.#leaving = true;
    for (const { child } of this.#workers) child.channel.send({ kind: 'leave' });
  }

  /** Each finishes what is in flight. */
  async drain(): Promise<void> {
    await Promise.all(this.#supervised.map((each) => each.stop()));
  }

  async stop(): Promise<void> {
    await this.drain();
  }

  async apply(serving: Serving): Promise<void> {
    const number = this.#number + 1;
    const asked = this.#ready;
    const answers = await Promise.all(asked.map((worker) => this.#prepare(worker, number, serving)));
    const error = answers.find((answer) => answer !== undefined);
    if (error !== undefined) {
      for (const { child } of asked) child.channel.send({ kind: 'discard', number });
      throw errorOf(error);
    }
    this.#number = number;
    this.#serving = serving;
    this.#places.max = serving.config.limits.maxRequests;
    await Promise.all(asked.map((worker) => this.#commit(worker, number)));
    // One that was being started has begun with the version before.
    for (const worker of this.#ready) if (worker.number !== number) this.#catchUp(worker);
  }

  async renew(tls: Materials): Promise<void> {
    this.#serving = { ...this.#serving, tls };
    for (const { child } of this.#workers) child.channel.send({ kind: 'renew', tls });
  }

  async status(): Promise<readonly EngineStatus[]> {
    const answers = await this.#askAll({ kind: 'status' });
    return answers.flatMap(([, answer]) => (answer.kind === 'status' ? [answer.status] : []));
  }

  readonly metrics: HttpService = async () => {
    const answers = await this.#askAll({ kind: 'metrics' });
    const texts = answers.flatMap(([worker, answer]) =>
      answer.kind === 'text' ? [[String(worker.child.pid), answer.text] as const] : [],
    );
    const text = mergedMetrics(new Map([['supervisor', expose(this.#options.metrics)], ...texts]));
    const fields = Fields.of({ 'content-type': expositionType });
    return { status: 200, fields, body: wholeBody(new TextEncoder().encode(text)) };
  };

  /** Records of all workers; the layers of one, since all have the same. */
  readonly explain: HttpService = async (req) => {
    const answers = await this.#askAll({ kind: 'explain', path: req.path });
    const texts = answers.flatMap(([, answer]) => (answer.kind === 'text' ? [answer] : []));
    const failed = texts.find(({ status }) => status !== 200);
    if (failed !== undefined) return jsonAnswer(failed.status, JSON.parse(failed.text));
    const values = texts.map(({ text }) => JSON.parse(text) as unknown);
    const merged = values.every(Array.isArray) ? values.flat() : values[0];
    return jsonAnswer(200, merged ?? []);
  };

  get #ready(): Worker[] {
    return [...this.#workers].filter(({ number }) => number > 0);
  }

  #started(program: Program): Child {
    const child = this.#options.fork(program);
    const worker: Worker = { child, number: 0 };
    this.#workers.add(worker);
    child.channel.onMessage((message) => this.#heard(worker, message));
    void child.ended.then(() => {
      this.#workers.delete(worker);
      this.#desk.gone(worker);
      this.#places.gone(worker);
      for (const [key, answer] of this.#waiting) if (key.startsWith(`${child.pid} `)) answer(undefined);
    });
    return child;
  }

  #heard(worker: Worker, message: ToSupervisor): void {
    const { child } = worker;
    switch (message.kind) {
      case 'hello':
        child.channel.send({ kind: 'begin', number: this.#number, serving: this.#serving });
        return;
      case 'serving':
        worker.number = message.number;
        this.#address = message.address;
        // What it has not heard while it began.
        child.channel.send({ kind: 'renew', tls: this.#serving.tls });
        if (this.#leaving) child.channel.send({ kind: 'leave' });
        for (const posted of this.#verdicts.current) child.channel.send({ kind: 'verdict', ...posted });
        if (worker.number !== this.#number) this.#catchUp(worker);
        return;
      case 'failed':
        this.#reported = message.error;
        return;
      case 'take': {
        const taken = message.asks.map(([id, asks]) => [id, this.#desk.take(worker, id, asks)] as const);
        child.channel.send({ kind: 'taken', taken });
        return;
      }
      case 'release':
        for (const id of message.ids) this.#desk.release(worker, id);
        return;
      case 'place':
        this.#places.ask(worker, message.wanted);
        return;
      case 'back':
        this.#places.back(worker, message.count);
        return;
      case 'verdict':
        this.#verdicts.post(message.target, message.verdict);
        for (const each of this.#workers) if (each !== worker) each.child.channel.send(message);
        return;
      case 'prepared':
        this.#waiting.get(`${child.pid} prepared ${message.number}`)?.(message);
        return;
      case 'committed':
        this.#waiting.get(`${child.pid} committed ${message.number}`)?.(message);
        return;
      case 'answer':
        this.#waiting.get(`${child.pid} answer ${message.id}`)?.(message);
        return;
    }
  }

  /** What is wrong with the configuration there; undefined if nothing is, or nobody is there any more. */
  async #prepare(worker: Worker, number: number, serving: Serving): Promise<ToldError | undefined> {
    worker.child.channel.send({ kind: 'prepare', number, serving });
    const said = await this.#answered(worker, `prepared ${number}`);
    if (said === 'late') return lateError(worker);
    return said?.kind === 'prepared' ? said.error : undefined;
  }

  /** Resolves when it serves it. */
  async #commit(worker: Worker, number: number): Promise<void> {
    worker.number = number;
    worker.child.channel.send({ kind: 'commit', number });
    await this.#answered(worker, `committed ${number}`);
  }

  #catchUp(worker: Worker): void {
    const number = this.#number;
    void this.#prepare(worker, number, this.#serving).then((error) => {
      if (error === undefined) return this.#commit(worker, number);
      // Others serve it: one that cannot is replaced.
      worker.child.signal('SIGTERM');
      return undefined;
    });
  }

  async #askAll(question: Question): Promise<(readonly [Worker, Answer])[]> {
    const all = await Promise.all(
      this.#ready.map(async (worker) => {
        const id = ++this.#lastId;
        worker.child.channel.send({ kind: 'ask', id, question });
        const said = await this.#answered(worker, `answer ${id}`);
        return said !== 'late' && said?.kind === 'answer' ? [[worker, said.answer] as const] : [];
      }),
    );
    return all.flat();
  }

  /** The worker's next word on something; undefined when it has ended instead. */
  #answered({ child }: Worker, what: string): Promise<ToSupervisor | 'late' | undefined> {
    const key = `${child.pid} ${what}`;
    return new Promise((resolve) => {
      const settled = (message: ToSupervisor | 'late' | undefined): void => {
        this.#waiting.delete(key);
        timer.cancel();
        resolve(message);
      };
      const timer = this.#options.runtime.timers.after(answerMs, () => settled('late'));
      this.#waiting.set(key, settled);
    });
  }
}

function programOf(number: number): Program {
  return { name: `worker-${number}`, file: '', args: [], env: {}, readyMs: 60_000, stopMs: 15_000 };
}

function lateError({ child }: Worker): ToldError {
  const message = `worker ${child.pid} has not made the configuration ready within ${answerMs} ms`;
  return { code: 'deadline_exceeded', reason: 'WORKER_LATE', message };
}

function errorOf({ code, reason, message }: ToldError): HeddleError {
  return new HeddleError({ code: code as Code, reason, message, sent: false });
}
