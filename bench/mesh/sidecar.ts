// What a pair of sidecars with mTLS costs for each call of gRPC, and what it adds to the time of one, beside Envoy's.
import { isMissing, obtain, type Place } from '../../scripts/engines/engine.ts';
import { envoy } from '../../scripts/engines/envoy.ts';
import { median } from '../measure.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { coreOfLoad, startSubject } from '../wire/contender.ts';
import { loadGrpc } from '../wire/load.ts';
import { unaryMessage } from '../wire/payload.ts';
import { cpuMicros } from '../wire/process-cost.ts';
import { verifyUnary } from '../wire/verify.ts';
import { envoyPair, noMesh, ownPair, type Pair } from './sidecar-pairs.ts';

const full = { rounds: 7, turnMs: 3000, warmTurns: 4 };
const quick = { rounds: 1, turnMs: 1000, warmTurns: 1 };
const busy = { method: 'Unary', message: unaryMessage, connections: 4, inFlight: 25 };
const alone = { method: 'Unary', message: unaryMessage, connections: 1, inFlight: 1 };

interface Participant {
  readonly name: string;
  readonly pair: Pair;
  /** CPU time of the proxies for a call, in microseconds, and of proxies and backend together. */
  readonly proxies: number[];
  readonly all: number[];
  readonly perSecond: number[];
  /** Of a call that is alone, in microseconds. */
  readonly alone: number[];
}

/** The results `sidecar-cpu-per-call` and `sidecar-latency`. */
export async function sidecarBench(options: BenchOptions): Promise<BenchOutcome> {
  const pace = options.quick ? quick : full;
  const backend = await startSubject('heddle-grpc-server.ts', [], coreOfLoad());
  const participants: Participant[] = [];
  const skipped: SkippedPeer[] = [];
  try {
    participants.push(await enter('heddle', ownPair, backend.address));
    const found = await obtain(envoy);
    if (isMissing(found))
      skipped.push({ name: 'sidecar-cpu-per-call', peer: 'envoy', reason: found.missing });
    else participants.push(await enter('envoy', envoyPair, backend.address));
    participants.push(await enter('no-mesh', noMesh, backend.address));
    for (const each of participants)
      for (let turn = 0; turn < pace.warmTurns; turn++) await loadGrpc(each.pair.address, busy, pace.turnMs);
    for (let round = 0; round < pace.rounds; round++)
      for (let turn = 0; turn < participants.length; turn++)
        await takeTurn(
          participants[(round + turn) % participants.length] as Participant,
          backend.pid,
          pace.turnMs,
        );
  } finally {
    await Promise.all(participants.map(({ pair }) => pair.stop()));
    await backend.stop();
  }
  return { results: resultsOf(participants), skipped };
}

async function enter(
  name: string,
  start: (backend: Place) => Promise<Pair>,
  backend: Place,
): Promise<Participant> {
  process.stderr.write(`${name} …\n`);
  const pair = await start(backend);
  try {
    await untilVerified(pair.address);
  } catch (thrown) {
    await pair.stop();
    throw thrown;
  }
  return { name, pair, proxies: [], all: [], perSecond: [], alone: [] };
}

/** The rules need a moment to arrive. */
async function untilVerified(address: Place): Promise<void> {
  const giveUpAt = performance.now() + 30_000;
  for (;;) {
    try {
      await verifyUnary(address);
      return;
    } catch (thrown) {
      if (performance.now() > giveUpAt) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function takeTurn(participant: Participant, backend: number, turnMs: number): Promise<void> {
  const { pair, proxies, all, perSecond } = participant;
  const used = (): readonly [number, number] => {
    const ofProxies = pair.pids.reduce((sum, pid) => sum + cpuMicros(pid), 0);
    return [ofProxies, ofProxies + cpuMicros(backend)];
  };
  const before = used();
  const { calls, elapsedMs } = await loadGrpc(pair.address, busy, turnMs);
  const after = used();
  proxies.push((after[0] - before[0]) / calls);
  all.push((after[1] - before[1]) / calls);
  perSecond.push(calls / (elapsedMs / 1000));
  const one = await loadGrpc(pair.address, alone, Math.min(turnMs, 1000));
  participant.alone.push((one.elapsedMs * 1000) / one.calls);
}

function resultsOf(participants: readonly Participant[]): BenchResult[] {
  const of = (name: string): Participant | undefined => participants.find((each) => each.name === name);
  const own = of('heddle');
  if (own === undefined) throw new Error('Heddle itself could not be measured');
  const results: BenchResult[] = [];
  for (const peer of participants) {
    if (peer === own) continue;
    const isMesh = peer.pair.pids.length > 0;
    const rates = { perSecond: median(own.perSecond), peerPerSecond: median(peer.perSecond) };
    results.push({
      ...compared(
        'sidecar-cpu-per-call',
        'CPU us/call',
        isMesh ? own.proxies : own.all,
        peer.name,
        isMesh ? peer.proxies : peer.all,
        isMesh,
      ),
      ...rates,
      detail: isMesh ? 'both proxies' : 'with the service itself',
    });
    results.push(
      compared('sidecar-latency', 'us/call, one at a time', own.alone, peer.name, peer.alone, false),
    );
  }
  return results;
}

function compared(
  name: string,
  unit: string,
  own: readonly number[],
  peer: string,
  others: readonly number[],
  isGoal: boolean,
): BenchResult {
  const [value, peerValue] = [median(own), median(others)];
  const ratio = peerValue / value;
  return {
    name,
    subject: 'heddle',
    unit,
    value,
    peer,
    peerValue,
    ratio,
    ...(isGoal && { goal: `at least 1x ${peer}`, goalMet: ratio >= 1 }),
  };
}
