// The registry contract of @heddle/discovery, as one suite per backend on its real server.
import assert from 'node:assert/strict';
import { availableParallelism, loadavg } from 'node:os';
import type { HeddleError } from '@heddle/kernel';
import type { Registry } from '@heddle/discovery';
import {
  missingNeeds,
  type RegistryAbility,
  type RegistryCase,
  type RegistryLacks,
  type RegistryStage,
  registryCases,
} from '@heddle/discovery/testing';
import type { Missing } from '../../engines/engine.ts';
import { type Contract, type ContractResult, skippedWhole } from '../result.ts';
import { lastKnownGoodCase } from './last-known-good-case.ts';

/** A backend as the suite sees it. */
export interface DiscoveryBackend {
  /** One of the fixed names: embedded, consul, etcd, zookeeper, kubernetes, eureka, nacos, dns, xds. */
  readonly backend: string;
  /** Makes the real server ready to be started. The version, or why there is none on this machine. */
  prepare(): Promise<{ readonly version: string } | Missing>;
  /**
   * Makes a stage, by the name that stands before its cases (empty for none). A case with `needs` may do to the server
   * what it likes; the others may share one, if each has its own part of it (a prefix, a namespace).
   */
  readonly stages: Readonly<Record<string, (one: RegistryCase) => Promise<RegistryStage>>>;
  /** What the backend cannot do, and why: its cases are reported as unsupported. */
  readonly lacks?: RegistryLacks;
  /** Needs of cases that no stage can have here, and why: reported as unsupported too. */
  readonly cannot?: Readonly<Partial<Record<NonNullable<RegistryCase['needs']>[number], string>>>;
  /** Cases of this backend alone. */
  readonly more?: readonly RegistryCase[];
  /** How many cases run at a time. Default 4. */
  readonly parallel?: number;
  /** How many cases that kill a server run beside those, where such cases take turns on few servers. Default: none apart. */
  readonly killing?: number;
  /** Ends what the stages shared. */
  end?(): Promise<void>;
}

/** The lease for a case: longer than the shortest where it is about being kept. */
export function leaseFor({ keeps = false }: RegistryCase, shortestMs: number): number {
  return keeps ? 3 * shortestMs : shortestMs;
}

const caseLimitMs = 400_000;
/** Processes that want to run, for each core, beyond which a machine is too busy for promises about time. */
const busyLoad = 2;

/** The suite: each case on a stage of its own is a result; `detail` has what was measured. */
export function discoveryContract(backend: DiscoveryBackend): Contract {
  const name = backend.backend;
  return {
    backend: name,
    run: async (only) => {
      const found = await backend.prepare();
      if ('missing' in found) return skippedWhole(name, found.missing);
      try {
        const results: ContractResult[] = [];
        for (const variant of Object.keys(backend.stages))
          results.push(...(await runVariant(backend, found.version, variant, only)));
        return results;
      } finally {
        await backend.end?.();
      }
    },
  };
}

async function runVariant(
  backend: DiscoveryBackend,
  version: string,
  variant: string,
  only: (name: string) => boolean = () => true,
): Promise<ContractResult[]> {
  const make = backend.stages[variant];
  assert.ok(make !== undefined);
  const titleOf = ({ name }: RegistryCase): string => (variant === '' ? name : `${variant}: ${name}`);
  const every = [...registryCases, lastKnownGoodCase];
  const all = [...abilityCases(backend.lacks ?? {}), ...every, ...(backend.more ?? [])].filter((one) =>
    only(titleOf(one)),
  );
  const results = new Map<RegistryCase, ContractResult>();
  const runOne = async (one: RegistryCase): Promise<void> => {
    const startedMs = performance.now();
    const outcome = await outcomeOnBusyMachine(one, backend, make);
    const tookMs = Math.round(performance.now() - startedMs);
    results.set(one, { backend: backend.backend, version, case: titleOf(one), tookMs, ...outcome });
  };
  const workers = (count: number, waiting: RegistryCase[]): Promise<void>[] =>
    Array.from({ length: count }, async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await runOne(one);
    });
  const { parallel = 4, killing = 0 } = backend;
  const isApart = ({ needs }: RegistryCase): boolean => killing > 0 && needs?.includes('kill') === true;
  const together = all.filter(({ alone }) => alone !== true);
  await Promise.all([
    ...workers(killing, together.filter(isApart)),
    ...workers(
      parallel,
      together.filter((one) => !isApart(one)),
    ),
  ]);
  for (const one of all) if (one.alone === true) await runOne(one);
  return all.flatMap((one) => results.get(one) ?? []);
}

type Outcome = Pick<ContractResult, 'status' | 'detail'>;

/**
 * Many cases are about time: a lease that is kept, an instance that is out in time. On a machine that does not get to
 * run us they say nothing, so one that fails there is tried once more, and both are told.
 */
async function outcomeOnBusyMachine(
  one: RegistryCase,
  backend: DiscoveryBackend,
  make: (one: RegistryCase) => Promise<RegistryStage>,
): Promise<Outcome> {
  const first = await outcomeOf(one, backend, make);
  const [load = 0] = loadavg();
  if (first.status !== 'fail' || load < busyLoad * availableParallelism()) return first;
  const why = `tried again, for the load was ${load.toFixed(1)}; the first time: ${first.detail}`;
  process.stderr.write(`${backend.backend}: ${one.name}: ${why}\n`);
  const second = await outcomeOf(one, backend, make);
  return { ...second, detail: `${second.detail ?? ''} (${why})` };
}

async function outcomeOf(
  one: RegistryCase,
  { lacks = {}, cannot = {} }: DiscoveryBackend,
  make: (one: RegistryCase) => Promise<RegistryStage>,
): Promise<Outcome> {
  const uses: readonly RegistryAbility[] = one.uses ?? ['register'];
  const lacked = uses.find((ability) => lacks[ability] !== undefined);
  if (lacked !== undefined) return { status: 'unsupported', detail: lacks[lacked] ?? '' };
  const impossible = one.needs?.find((need) => cannot[need] !== undefined);
  if (impossible !== undefined) return { status: 'unsupported', detail: cannot[impossible] ?? '' };
  try {
    const stage = await make(one);
    const missing = missingNeeds(one, stage);
    if (missing.length > 0) {
      await stage.close();
      return { status: 'skipped', detail: `the stage has no ${missing.join(', ')}` };
    }
    const detail = await onStage(one, stage);
    return typeof detail === 'string' ? { status: 'pass', detail } : { status: 'pass' };
  } catch (error) {
    return { status: 'fail', detail: error instanceof Error ? error.message : String(error) };
  }
}

async function onStage(one: RegistryCase, stage: RegistryStage): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${caseLimitMs} ms`)), caseLimitMs);
  });
  try {
    return await Promise.race([one.run(stage), late]);
  } finally {
    clearTimeout(timer);
    await stage.close();
  }
}

/** What is lacking must be refused by a typed error, not only be left out of the suite. */
function abilityCases(lacks: RegistryLacks): RegistryCase[] {
  const refusals: Partial<Record<RegistryAbility, (registry: Registry) => Promise<unknown>[]>> = {
    register: (registry) => [
      registry.register({ service: 'users', address: '10.0.0.1', port: 1 }),
      registry.deregister('users', 'a'),
      registry.heartbeat('users', 'a'),
    ],
    services: (registry) => [registry.services()],
  };
  return Object.entries(refusals)
    .filter(([ability]) => lacks[ability as RegistryAbility] !== undefined)
    .map(([ability, refused]) => ({
      name: `without ${ability}: refused as UNSUPPORTED, by a typed error`,
      uses: [],
      run: async (stage) => {
        for (const answer of await Promise.allSettled(refused(await stage.open()))) {
          assert.equal(answer.status, 'rejected');
          const { code, reason } = answer.reason as HeddleError;
          assert.deepEqual([code, reason], ['unimplemented', 'UNSUPPORTED']);
        }
      },
    }));
}
