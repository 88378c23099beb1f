import type { Address, Call } from '@heddle/kernel';
import { critical, type Probe, passing } from './probe.ts';

/** A program that was run to its end. */
export interface ScriptEnd {
  /** The exit code; undefined if a signal ended it. */
  readonly code: number | undefined;
  /** The beginning of what it printed. */
  readonly output: string;
}

/**
 * Runs programs: a port, which `scriptRunner` of `@heddle/discovery/node` implements. No shell is involved. When the
 * call is cancelled, the program and all it has started are killed, and it rejects with the call's error.
 */
export type ScriptRunner = (argv: readonly string[], address: Address, call: Call) => Promise<ScriptEnd>;

/** Exit code 0 passes, 1 is a warning, any other is critical (as Consul and Nagios have it). */
export function scriptProbe(run: ScriptRunner, argv: readonly string[]): Probe {
  return async (address, call) => {
    const { code, output } = await run(argv, address, call);
    const said = output.trim().slice(0, 200);
    if (code === 0) return passing(said === '' ? 'exit code 0' : said);
    const why = `exit code ${code ?? 'none, ended by a signal'}${said === '' ? '' : `: ${said}`}`;
    return code === 1 ? { health: 'warning', why } : critical(why);
  };
}
