import { HeddleError } from '@heddle/kernel';
import type { Finding } from './discovery-checks.ts';

/** What is asked of a machine, each as a question that throws a `HeddleError` when the answer is bad. */
export interface MachineQuestions {
  /** The version that runs, if it may. */
  readonly node: () => string;
  /** The console's and the gateway's URL of the `heddle up` that runs, if one does. */
  readonly running: () => { readonly console: string; readonly gateway: string };
  /** Whether files can be made in the data folder: its path. */
  readonly dataFolder: () => string;
  /** Whether the port is free. */
  readonly port: (port: number, whose: string, option: string) => Promise<number>;
  /** Starts the PostgreSQL that Heddle brings, asks it for its version, and stops it. */
  readonly postgres: () => Promise<string>;
}

/** Whether `heddle up` can run here, or runs. Never rejects. */
export async function examineMachine(ask: MachineQuestions): Promise<readonly Finding[]> {
  const up = await look('up', () => {
    const { console, gateway } = ask.running();
    return `runs: console ${console}, gateway ${gateway}`;
  });
  const isUp = up.result === 'ok';
  const running: Finding = isUp
    ? up
    : { check: 'up', result: 'skipped', detail: 'no "heddle up" runs on this data folder' };
  const used: Finding = {
    check: 'ports',
    result: 'skipped',
    detail: 'they are those of the running "heddle up"',
  };
  const ports = isUp
    ? [used]
    : [
        await look('gateway', async () => `port ${await ask.port(8080, 'gateway', '--port')} is free`),
        await look(
          'console',
          async () => `port ${await ask.port(8090, 'console', '--console-port')} is free`,
        ),
      ];
  return [
    await look('node', () => ask.node()),
    await look('data folder', () => `${ask.dataFolder()} can be written`),
    running,
    ...ports,
    await look('postgres', ask.postgres),
  ];
}

async function look(check: string, question: () => string | Promise<string>): Promise<Finding> {
  try {
    return { check, result: 'ok', detail: await question() };
  } catch (thrown) {
    return { check, result: 'failed', detail: HeddleError.from(thrown).message };
  }
}
