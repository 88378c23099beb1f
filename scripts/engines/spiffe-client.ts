// A client of the Workload API by SPIFFE's own makers (go-spiffe): it tells of each certificate that it is given.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { contentKey } from './cache.ts';
import { required, type Tool } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { run } from './command.ts';
import { endWithUs } from './running.ts';

const source = path.join(import.meta.dirname, 'spiffe-client');
const version = /go-spiffe\/v2 v([\d.]+)/.exec(readFileSync(path.join(source, 'go.mod'), 'utf8'))?.[1] ?? '';

const build: GoBuild = {
  key: `spiffe-client-${contentKey(source)}`,
  version,
  program: 'spiffe-client',
  cwd: source,
  commands: (folder) => [['build', '-o', path.join(folder, 'spiffe-client'), '.']],
};

/** What it says of a certificate; `problem`: why there is none, or why it is not good. */
export interface SpiffeAnswer {
  readonly id: string;
  readonly serial: string;
  readonly notAfterMs: number;
  readonly roots: number;
  readonly verified: boolean;
  readonly trustDomain: string;
  readonly problem?: string;
}

/** What it says of a token; `problem`: why it could not be had, or what the API has against it. */
export interface SpiffeToken {
  readonly id: string;
  readonly token: string;
  readonly expiryMs: number;
  readonly audience: readonly string[];
  /** How many the API gives. */
  readonly keys: number;
  /** Whether the library believes it, by those keys. */
  readonly verified: boolean;
  /** Whom the API takes it for. */
  readonly validated: string;
  readonly problem?: string;
}

/** The tool; it is started by `startSpiffeClient`. */
export const spiffeClient: Tool = {
  name: 'spiffe-client',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async ({ path: command }) => {
    const said = await run(command, []);
    if (!said.output.includes('usage:')) throw new Error(said.output.slice(-200));
  },
};

/** One that listens. */
export interface RunningSpiffeClient {
  /** What it is told next, in order. Rejects when it has ended. */
  next(): Promise<SpiffeAnswer>;
  stop(): void;
}

/** Starts one at the socket. */
export async function startSpiffeClient(socket: string): Promise<RunningSpiffeClient> {
  const { path: command } = await required(spiffeClient);
  const child: ChildProcess = spawn(command, [`unix://${socket}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  endWithUs(child);
  if (child.stdout === null) throw new Error('it has no output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the client has ended');
      return JSON.parse(value) as SpiffeAnswer;
    },
    stop: () => void child.kill('SIGTERM'),
  };
}

/** Asks at the socket for a token for an audience, or what a token is worth there. */
export async function askSpiffeClient(
  socket: string,
  audience: string,
  token?: string,
): Promise<SpiffeToken> {
  const { path: command } = await required(spiffeClient);
  const args = [`unix://${socket}`, audience, ...(token === undefined ? [] : [token])];
  const { code, output } = await run(command, args, { timeoutMs: 20_000 });
  if (code !== 0) throw new Error(output.slice(-500));
  return JSON.parse(output) as SpiffeToken;
}
