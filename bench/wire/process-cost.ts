// What a process has used, as Linux counts it.
import { readdirSync, readFileSync } from 'node:fs';

/** CPU time of a process and all its threads so far, in microseconds. Rejects other systems than Linux by an error. */
export function cpuMicros(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  let total = 0;
  for (const task of readdirSync(tasks)) total += nanosOf(`${tasks}/${task}/schedstat`);
  return total / 1000;
}

/** `stat` beside it counts in ticks of ten milliseconds, too coarse for a quiet subject. */
function nanosOf(schedstat: string): number {
  try {
    return Number(readFileSync(schedstat, 'utf8').split(' ')[0]);
  } catch (thrown) {
    // A thread that has ended since they were listed.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw thrown;
  }
}

/** Memory that is in RAM, in KiB. */
export function residentKib(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new Error(`process ${pid} has no VmRSS`);
  return Number(found[1]);
}
