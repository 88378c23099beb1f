// What abuses HTTP without breaking into it, against a server process of ours, beside a client that behaves.
import assert from 'node:assert/strict';
import type { Contract, ContractResult } from '../result.ts';
import { type Attack, Attacker } from './floods/attacker.ts';
import { Bystander } from './floods/bystander.ts';
import { http1Attacks } from './floods/http1-attacks.ts';
import { http2Attacks } from './floods/http2-attacks.ts';
import { Victim } from './floods/victim.ts';

const backend = 'floods';
const limitMs = 20_000;

/**
 * One result for each attack: the attacker is told why and its connections are closed, the server's process grows by
 * no more than it may (64 MiB, or as the attack says), and a bystander is answered all the time. `detail` has the numbers.
 */
export const floods: Contract = {
  backend,
  run: async () => {
    const results: ContractResult[] = [];
    let victim = await Victim.start();
    try {
      for (const attack of [...http2Attacks, ...http1Attacks]) {
        results.push(await resultOf(attack, victim));
        if (!victim.alive) victim = await Victim.start();
      }
    } finally {
      await victim.stop();
    }
    return results;
  },
};

async function resultOf(attack: Attack, victim: Victim): Promise<ContractResult> {
  const common = { backend, version: '', case: attack.name };
  try {
    return { ...common, status: 'pass', detail: await withstand(attack, victim) };
  } catch (error) {
    const fallen = victim.alive ? '' : ' (the server has fallen)';
    const detail = `${error instanceof Error ? error.message : String(error)}${fallen}`;
    return { ...common, status: 'fail', detail };
  }
}

async function withstand(attack: Attack, victim: Victim): Promise<string> {
  const { answer = 'nothing', connections = 1, mostGrowthMib = 64, counted = true, act, judge } = attack;
  const before = await victim.tell({ answer });
  const bystander = new Bystander(victim.port);
  const startedMs = performance.now();
  const attackers = Array.from({ length: connections }, () => new Attacker(victim.port, limitMs));
  for (const attacker of attackers) void act(attacker);
  const said = await Promise.allSettled(attackers.map(({ closed }) => closed));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const { medianMs, calls } = await bystander.stop();
  const after = await victim.tell();
  for (const [at, each] of said.entries()) {
    if (each.status === 'rejected') throw each.reason;
    judge(each.value, after.abusers[attackers[at]?.port ?? 0]);
  }
  const growthMib = (after.rssBytes - before.rssBytes) / 1024 / 1024;
  const grown = `${growthMib.toFixed(1)} MiB more`;
  assert.ok(growthMib < mostGrowthMib, `the server's process holds ${grown}`);
  const counters = risen(before.counters, after.counters);
  assert.ok(counters !== '' || !counted, 'no counter tells of it');
  const told = counters === '' ? 'not counted, since it breaks no limit' : `counted: ${counters}`;
  return `over after ${seconds} s, ${grown}, ${told}; ${calls} calls of a bystander, median ${medianMs.toFixed(2)} ms`;
}

// The bystander's own; an attack by them has thousands.
const fewUpdates = 20;

function risen(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): string {
  return Object.entries(after)
    .map(([name, count]) => ({ name, by: count - (before[name] ?? 0) }))
    .flatMap(({ name, by }) =>
      by > 0 && (name !== 'windowUpdates' || by > fewUpdates) ? [`${name} ${by}`] : [],
    )
    .join(', ');
}
