// The real command as a process, for suites that need one.
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { endWithUs } from '../../engines/running.ts';

const main = path.resolve(import.meta.dirname, '../../../apps/heddle/src/main.ts');
const patienceMs = 120_000;

/** A gateway that serves. */
export interface RunningGateway {
  readonly url: string;
  readonly admin: string;
  readonly child: ChildProcess;
  /** What it has written so far. */
  output(): string;
  /** SIGTERM; resolves with the exit code when it has gone. */
  stop(): Promise<number | null>;
}

/** The token of the admin API of gateways that are started here. */
export const adminToken = 'a-token-of-the-contracts';

/** Runs `heddle gateway` with these arguments; resolves when it serves, rejects with what it wrote. */
export async function startGateway(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningGateway> {
  const child = spawn(process.execPath, ['--conditions=@heddle/source', main, 'gateway', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HEDDLE_ADMIN_TOKEN: adminToken, ...env },
  });
  endWithUs(child);
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const ready = new Promise<RegExpExecArray>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not ready in time:\n${output}`)), patienceMs);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-1_000_000);
        const said = /"ready".*"url":"([^"]+)".*"admin":"([^"]+)"/.exec(output);
        if (said === null) return;
        clearTimeout(late);
        resolve(said);
      });
    void exited.then(() => {
      clearTimeout(late);
      reject(new Error(`ended before it was ready:\n${output}`));
    });
  });
  const [, url = '', admin = ''] = await ready;
  return {
    url,
    admin,
    child,
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Asks the admin API; gives the JSON of the answer with its status. */
export async function operate(
  { admin }: RunningGateway,
  method: string,
  target: string,
  body?: string,
): Promise<{ readonly status: number; readonly json: Record<string, unknown> }> {
  const answer = await fetch(`${admin}${target}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}` },
    ...(body !== undefined && { body }),
  });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}
