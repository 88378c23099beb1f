// Three times what a server can do: how much of its capacity is still done in time, with load shedding and without.
import path from 'node:path';
import { type Peer, startPeer } from '../../scripts/engines/peer.ts';
import type { BenchOptions, BenchResult } from '../report.ts';
import { coreOfLoad, subjectCore } from '../wire/contender.ts';

const name = 'goodput-3x';

/** `goodput-3x`: calls answered within their deadline, as a share of what the server does at its best. */
export async function overloadResults(
  options: BenchOptions,
  wanted: (name: string) => boolean,
): Promise<BenchResult[]> {
  if (!wanted(name)) return [];
  process.stderr.write(`${name} …\n`);
  const durationMs = options.quick ? 2000 : 8000;
  const { share: value, capacity } = await goodShare('shed', durationMs);
  const { share: peerValue } = await goodShare('none', durationMs);
  return [
    {
      name,
      subject: 'heddle',
      unit: '% of capacity',
      value,
      peer: 'without-shedding',
      peerValue,
      ratio: value / Math.max(peerValue, 0.1),
      detail: `capacity ${Math.round(capacity)} calls a second`,
      goal: 'at least 80 % with shedding, less than 50 % without',
      goalMet: value >= 80 && peerValue < 50,
    },
  ];
}

/**
 * Calls that are answered in time at three times the capacity, in percent of it. The capacity is measured before and
 * after, since a machine with neighbours has another one every few seconds.
 */
async function goodShare(mode: string, durationMs: number): Promise<{ share: number; capacity: number }> {
  const server = await start('busy-server.ts', [mode], subjectCore);
  const { host, port } = server.address;
  const client = await start('open-loop.ts', [`${host}:${port}`], coreOfLoad());
  try {
    const perSecond = async (question: string, ms: number): Promise<number> => {
      const said = await client.ask(question);
      const good = Number(/^good (\d+)$/.exec(said)?.[1]);
      if (Number.isNaN(good)) throw new Error(`a client says “${said}”`);
      return good / (ms / 1000);
    };
    await perSecond('closed 500', 500);
    const before = await perSecond('closed 2000', 2000);
    const good = await perSecond(`load ${Math.round(before * 3)},${durationMs}`, durationMs);
    const after = await perSecond('closed 2000', 2000);
    const capacity = (before + after) / 2;
    return { share: (100 * good) / capacity, capacity };
  } finally {
    await client.stop();
    await server.stop();
  }
}

function start(file: string, args: readonly string[], core: number | undefined): Promise<Peer> {
  const program = path.join(import.meta.dirname, 'subjects', file);
  const all = ['--conditions=@heddle/source', program, ...args];
  return startPeer({ name: file, command: process.execPath, args: all, ...(core !== undefined && { core }) });
}
