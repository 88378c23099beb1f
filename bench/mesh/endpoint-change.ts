// One endpoint of many changes: how long until the last of many proxies has acknowledged it, what is sent for it, and
// what the control plane weighs. The proxies are the same program for all control planes.
import path from 'node:path';
import { isMissing, obtain, required } from '../../scripts/engines/engine.ts';
import { type Peer, startPeer } from '../../scripts/engines/peer.ts';
import { xdsControlPlane } from '../../scripts/engines/xds-control-plane.ts';
import { median } from '../measure.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { residentKib } from '../wire/process-cost.ts';

interface Pace {
  readonly services: number;
  readonly each: number;
  readonly proxies: number;
  /** Changes of each control plane, in so many turns. */
  readonly changes: number;
  readonly turns: number;
}

const full: Pace = { services: 1000, each: 10, proxies: 500, changes: 100, turns: 4 };
const quick: Pace = { services: 100, each: 10, proxies: 50, changes: 10, turns: 1 };

const peer = 'go-control-plane';
const protocols = ['delta', 'sotw'] as const;
type Protocol = (typeof protocols)[number];

/** What one change took. */
interface Change {
  readonly tookMs: number;
  readonly bytes: number;
  readonly resources: number;
  readonly messages: number;
}

/** A control plane with its fleet. */
interface Contender {
  readonly plane: Peer;
  readonly fleet: Peer;
  readonly changes: Change[];
  readonly heldMib: number[];
}

/** `endpoint-change-p99` and what goes with it: beside the control plane of Envoy's own library. */
export async function endpointChangeBench({ quick: hasty }: BenchOptions): Promise<BenchOutcome> {
  const found = await obtain(xdsControlPlane);
  const name = 'endpoint-change-p99';
  if (isMissing(found)) return { results: [], skipped: [{ name, peer, reason: found.missing }] };
  const pace = hasty ? quick : full;
  const results: BenchResult[] = [];
  const skipped: SkippedPeer[] = [
    { name, peer: 'istiod', reason: 'it comes as an image alone, and is not built from its sources here' },
  ];
  for (const protocol of protocols) {
    process.stderr.write(`mesh: endpoint changes, ${protocol}\n`);
    results.push(...(await compete(protocol, pace)));
  }
  return { results, skipped };
}

async function compete(protocol: Protocol, pace: Pace): Promise<BenchResult[]> {
  const { path: command } = await required(xdsControlPlane);
  const program = path.join(import.meta.dirname, 'subjects', 'control-plane.ts');
  const our = await start(protocol, pace, {
    name: 'heddle',
    command: process.execPath,
    args: ['--conditions=@heddle/source', program],
  });
  try {
    const their = await start(protocol, pace, { name: peer, command, args: [] });
    try {
      const inTurn = Math.ceil(pace.changes / pace.turns);
      for (let turn = 0; turn < pace.turns; turn++) {
        const order = turn % 2 === 0 ? [our, their] : [their, our];
        for (const contender of order) await change(contender, pace, inTurn, turn * inTurn);
      }
      return resultsOf(protocol, our, their);
    } finally {
      await stop(their);
    }
  } finally {
    await stop(our);
  }
}

async function start(
  protocol: Protocol,
  { services, each, proxies }: Pace,
  program: Parameters<typeof startPeer>[0],
): Promise<Contender> {
  const { path: command } = await required(xdsControlPlane);
  const plane = await startPeer(program);
  await plane.ask(`fill ${services} ${each}`);
  const at = `${plane.address.host}:${plane.address.port}`;
  const args = ['fleet', at, String(proxies), String(services), protocol];
  const fleet = await startPeer({ name: `fleet of ${program.name}`, command, args });
  return { plane, fleet, changes: [], heldMib: [] };
}

async function change(
  { plane, fleet, changes, heldMib }: Contender,
  { services, each }: Pace,
  count: number,
  from: number,
): Promise<void> {
  for (let at = from; at < from + count; at++) {
    const service = (at * 7919) % services;
    const address = `192.168.${at >> 8}.${at & 255}`;
    // The end of the text too, so that no other address begins like it.
    await fleet.ask(`expect ${address}\u0018`);
    await plane.ask(`change ${service} ${each} ${address}`);
    changes.push(JSON.parse(await fleet.ask('wait')) as Change);
  }
  heldMib.push(residentKib(plane.pid) / 1024);
}

function resultsOf(protocol: Protocol, our: Contender, their: Contender): BenchResult[] {
  const result = (
    name: string,
    unit: string,
    read: (contender: Contender) => number,
    goal?: string,
  ): BenchResult => {
    const [value, peerValue] = [read(our), read(their)];
    const ratio = peerValue / value;
    return {
      name,
      subject: 'control plane',
      unit,
      value,
      peer,
      peerValue,
      ratio,
      detail: protocol,
      ...(goal !== undefined && { goal, goalMet: ratio >= 1 }),
    };
  };
  const times = ({ changes }: Contender): number[] => changes.map(({ tookMs }) => tookMs);
  return [
    result('endpoint-change-p99', 'ms', (each) => quantile(times(each), 0.99), 'no slower'),
    result('endpoint-change-median', 'ms', (each) => median(times(each))),
    result('endpoint-change-bytes', 'bytes', ({ changes }) => median(changes.map(({ bytes }) => bytes))),
    result('endpoint-change-memory', 'MiB', ({ heldMib }) => Math.max(...heldMib)),
  ];
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

async function stop({ plane, fleet }: Contender): Promise<void> {
  await fleet.stop();
  await plane.stop();
}
