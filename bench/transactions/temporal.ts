import type { Missing } from '../../scripts/engines/engine.ts';
import { isMissing, obtain } from '../../scripts/engines/engine.ts';
import { temporal, temporalPeer } from '../../scripts/engines/temporal.ts';
import { cpuMicros } from '../wire/process-cost.ts';
import { hasCpuTimes } from './cost.ts';
import type { Contestant } from './per-second.ts';

/**
 * Workflows of three activities that do nothing, on Temporal's development server: its history is in SQLite, in a file.
 * Worker and client have a process of their own, as the server has.
 */
export async function temporalWorkflows(): Promise<Contestant | Missing> {
  const found = await obtain(temporal);
  if (isMissing(found)) return found;
  const server = await temporal.start({});
  const peer = await temporalPeer(`${server.address.host}:${server.address.port}`).catch(
    async (error: unknown) => {
      await server.stop();
      throw error;
    },
  );
  const usedMicros = (): readonly [number, number] => [cpuMicros(peer.pid), cpuMicros(server.pid)];
  return {
    name: 'temporal',
    turn: async (atOnce, turnMs) => {
      const before = hasCpuTimes ? usedMicros() : undefined;
      const { count, ms } = JSON.parse(await peer.ask(`${atOnce} ${turnMs}`)) as {
        count: number;
        ms: number;
      };
      const perSecond = (count / ms) * 1000;
      if (before === undefined) return { perSecond, cost: undefined };
      const after = usedMicros();
      return {
        perSecond,
        cost: { here: (after[0] - before[0]) / count, server: (after[1] - before[1]) / count },
      };
    },
    stop: async () => {
      await peer.stop();
      await server.stop();
    },
  };
}
