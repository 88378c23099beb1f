// Requests without a pause over real sockets, each of whose answers is looked at.
import { Agent, request } from 'node:http';

/** One request, and what its answer must hold. */
export interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
  /** Of the answer's content. */
  readonly expected: RegExp;
}

/** What has become of the requests. */
export interface LoadReport {
  readonly done: number;
  /** The first failures, for people. */
  readonly failures: readonly string[];
  readonly failed: number;
}

/** Load that runs until it is stopped. */
export interface SteadyLoad {
  readonly report: LoadReport;
  /** Resolves when all that was sent has been answered. */
  stop(): Promise<LoadReport>;
}

const keptFailures = 10;
const limitMs = 30_000;

/** `loops` requests at a time, one of the loops with a connection for each request. `next` says what to ask. */
export function steadyLoad(url: string, loops: number, next: (n: number) => Asked): SteadyLoad {
  const report = { done: 0, failed: 0, failures: [] as string[] };
  const agent = new Agent({ keepAlive: true, maxSockets: loops });
  let running = true;
  let count = 0;
  const loop = async (own: Agent | false): Promise<void> => {
    while (running) {
      const asked = next(count++);
      const problem = await ask(url, asked, own);
      report.done += 1;
      if (problem === undefined) continue;
      report.failed += 1;
      if (report.failures.length < keptFailures)
        report.failures.push(`${asked.method ?? 'GET'} ${asked.path}: ${problem}`);
    }
  };
  const all = Promise.all(Array.from({ length: loops }, (_, at) => loop(at === 0 ? false : agent)));
  return {
    report,
    stop: async () => {
      running = false;
      await all;
      agent.destroy();
      return report;
    },
  };
}

/** Sends one request; undefined if its answer is as expected. A kept connection that was closed meanwhile is no failure. */
export function ask(
  url: string,
  { path, method = 'GET', body, expected }: Asked,
  agent: Agent | false,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(`${url}${path}`, { method, agent, timeout: limitMs }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('error', (error) => resolve(`the answer broke off: ${error.message}`));
      answer.on('end', () => {
        const fine = answer.statusCode === 200 && expected.test(text);
        resolve(fine ? undefined : `status ${answer.statusCode}, ${text.slice(0, 200)}`);
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${limitMs} ms`)));
    outgoing.on('error', (error) => {
      if (outgoing.reusedSocket && 'code' in error && error.code === 'ECONNRESET')
        void ask(url, { path, method, expected, ...(body !== undefined && { body }) }, agent).then(resolve);
      else resolve(error.message);
    });
    outgoing.end(body);
  });
}
