// The broker contract of @heddle/messaging, as one suite per engine on its real server.
import { type BrokerCase, brokerCases, type BrokerFaults, type BrokerStage } from '@heddle/messaging/testing';
import type { Missing } from '../../engines/engine.ts';
import { type Contract, type ContractResult, skippedWhole } from '../result.ts';

/** An engine as the suite sees it. */
export interface MessagingBackend {
  /** One of the fixed names: memory, postgres, nats, kafka, rabbitmq, redis. */
  readonly backend: string;
  /** Starts the real server. The version, or why there is none on this machine. */
  prepare(): Promise<{ readonly version: string } | Missing>;
  /** A stage of its own part of the server: nothing of another stage is to be seen there. */
  stage(): Promise<BrokerStage>;
  /** What a stage can do to the server. */
  readonly faults: readonly (keyof BrokerFaults)[];
  /** What the engine cannot do, by name of the case, and why: reported as unsupported. */
  readonly lacks?: Readonly<Record<string, string>>;
  /** Cases of this engine alone. */
  readonly more?: readonly BrokerCase[];
  /** How many cases run at a time. Default 3. */
  readonly parallel?: number;
  /** Ends what `prepare` began. */
  end(): Promise<void>;
}

const caseLimitMs = 300_000;
/** To open a stage, and to close it: a client that waits for its server for ever must not hold up all others. */
const stageLimitMs = 120_000;

/** The suite: each case on a stage of its own is a result. Cases that kill the server run last, one by one. */
export function messagingContract(backend: MessagingBackend): Contract {
  return {
    backend: backend.backend,
    run: async (only = () => true) => {
      try {
        const found = await backend.prepare();
        if ('missing' in found) return skippedWhole(backend.backend, found.missing);
        return await runAll(backend, found.version, only);
      } finally {
        await backend.end();
      }
    },
  };
}

async function runAll(
  backend: MessagingBackend,
  version: string,
  only: (name: string) => boolean,
): Promise<readonly ContractResult[]> {
  const all = [...brokerCases, ...(backend.more ?? [])].filter(({ name }) => only(name));
  const results = new Map<BrokerCase, ContractResult>();
  const runOne = async (one: BrokerCase): Promise<void> => {
    const startedMs = performance.now();
    const outcome = await outcomeOf(one, backend);
    const tookMs = Math.round(performance.now() - startedMs);
    results.set(one, { backend: backend.backend, version, case: one.name, ...outcome, tookMs });
  };
  const together = all.filter(({ needs = [] }) => needs.length === 0);
  const worker = async (): Promise<void> => {
    for (let one = together.shift(); one !== undefined; one = together.shift()) await runOne(one);
  };
  await Promise.all(Array.from({ length: backend.parallel ?? 3 }, worker));
  for (const one of all) if (!results.has(one)) await runOne(one);
  return all.flatMap((one) => results.get(one) ?? []);
}

async function outcomeOf(
  one: BrokerCase,
  backend: MessagingBackend,
): Promise<Pick<ContractResult, 'status' | 'detail'>> {
  const lacking = backend.lacks?.[one.name];
  if (lacking !== undefined) return { status: 'unsupported', detail: lacking };
  const missing = one.needs?.filter((fault) => !backend.faults.includes(fault)) ?? [];
  if (missing.length > 0)
    return { status: 'unsupported', detail: `there is no server to ${missing.join(' and ')}` };
  try {
    await onStage(one, await within('its stage is open', stageLimitMs, backend.stage()));
    return { status: 'pass' };
  } catch (error) {
    return { status: 'fail', detail: error instanceof Error ? error.message : String(error) };
  }
}

async function onStage(one: BrokerCase, stage: BrokerStage): Promise<void> {
  try {
    await within('it has ended', caseLimitMs, one.run(stage));
  } finally {
    await within('its stage is closed', stageLimitMs, stage.close());
  }
}

async function within<T>(what: string, limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
