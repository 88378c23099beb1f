import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpuMicros } from '../wire/process-cost.ts';

/** CPU time so far, in microseconds: of this process, and of a PostgreSQL server's processes together. */
export interface Used {
  readonly here: number;
  readonly server: number;
}

/** Whether the system says what processes use: only Linux does. */
export const hasCpuTimes: boolean = existsSync('/proc/self/schedstat');

/** What this process and the server with that process id have used; undefined where the system does not say. */
export function used(postmaster: number | undefined): Used | undefined {
  if (postmaster === undefined || !hasCpuTimes) return undefined;
  const { user, system } = process.cpuUsage();
  let server = 0;
  for (const pid of [postmaster, ...childrenOf(postmaster)]) server += known(pid);
  return { here: user + system, server };
}

/** One that has ended meanwhile has used nothing that counts. */
function known(pid: number): number {
  try {
    return cpuMicros(pid);
  } catch {
    return 0;
  }
}

/** A server has a process for each connection. */
function childrenOf(parent: number): number[] {
  const children: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // After the name in parentheses: the state, then the parent.
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent) children.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return children;
}
