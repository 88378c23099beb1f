import {
  type CatalogueEntry,
  type ConsumerUse,
  contractChanges,
  type Contract,
  operationsOf,
  searchCatalogue,
} from '@heddle/api';
import type { Registry } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { operationIn } from '../api/try-operation.ts';
import type { OpenBroker } from '../node/open-broker.ts';
import type { ApiCatalogue } from './api-catalogue.ts';
import type { Release } from './api-front.ts';
import { attempted, type Attempt } from './api-attempt.ts';
import { operationDocs } from './api-docs.ts';
import type { Asked, ConsoleRoute } from './console-api.ts';
import { optional, readInput, record, type Reader, text, wholeIn } from './console-input.ts';

/** What the pages about contracts are made from. */
export interface ContractsWork {
  readonly runtime: Runtime;
  readonly registry: Registry;
  readonly catalogue: ApiCatalogue;
  readonly release: Release;
  readonly usesOf: (service: string, operations: readonly string[]) => Promise<readonly ConsumerUse[]>;
  /** For messages; undefined: the control plane has no broker. */
  readonly broker: (() => Promise<OpenBroker>) | undefined;
}

/** The catalogue of contracts: what each service promises, its documentation, versions and what breaks, and trying it. */
export function contractRoutes(work: ContractsWork): ConsoleRoute[] {
  const { catalogue, usesOf } = work;
  return [
    {
      method: 'GET',
      path: '/contracts',
      role: 'viewer',
      run: ({ query }) => ({
        services: catalogue.entries.map(summaryOf),
        operations: searchCatalogue(catalogue.entries, query.get('q') ?? ''),
      }),
    },
    {
      method: 'GET',
      path: '/contracts/:service',
      role: 'viewer',
      run: async (asked) => {
        const entry = entryOf(catalogue, asked);
        const ids = operationsOf(entry.versions.at(-1)?.contract ?? {}).map(({ id }) => id);
        return { ...shownEntry(entry), uses: await usesOf(entry.service, ids) };
      },
    },
    {
      method: 'GET',
      path: '/contracts/:service/operation',
      role: 'viewer',
      run: async (asked) => {
        const { service } = entryOf(catalogue, asked);
        const contract = contractIn(catalogue, asked);
        const operation = operationIn(contract, asked.query.get('id') ?? '');
        return operationDocs(contract, operation, service, await baseOf(work.registry, service));
      },
    },
    {
      method: 'GET',
      path: '/contracts/:service/diff',
      role: 'viewer',
      run: (asked) => {
        const { versions } = entryOf(catalogue, asked);
        const newest = versions.at(-1)?.number ?? 1;
        const from = versionAt(versions, wholeIn(asked.query, 'from', Math.max(1, newest - 1), 1, 1e9));
        const to = versionAt(versions, wholeIn(asked.query, 'to', newest, 1, 1e9));
        return { from: from.number, to: to.number, changes: contractChanges(from.contract, to.contract) };
      },
    },
    ...changes(work),
  ];
}

function changes(work: ContractsWork): ConsoleRoute[] {
  const { catalogue, release } = work;
  return [
    {
      method: 'POST',
      path: '/contracts/:service/try',
      role: 'operator',
      run: async (asked) => {
        const { service } = entryOf(catalogue, asked);
        const given = attemptIn(asked.body);
        asked.note({ after: { operation: given.operation } });
        return attempted(work, service, contractIn(catalogue, asked), given);
      },
    },
    {
      method: 'POST',
      path: '/contracts/:service/approve',
      role: 'admin',
      run: async (asked) => {
        const { hash } = readInput(asked.body, { hash: text(200), why: optional(text(500, 0)) });
        const { service } = entryOf(catalogue, asked);
        const entry = await catalogue.approve(service, hash, asked.who.name);
        await release(service, hash);
        asked.note({ after: { version: entry.versions.at(-1)?.number } });
        return shownEntry(entry);
      },
    },
  ];
}

const values: Reader<readonly unknown[]> = {
  expected: 'a list of at most 100 values',
  needed: true,
  fits: (value): value is readonly unknown[] => Array.isArray(value) && value.length <= 100,
};

function attemptIn(body: unknown): Attempt {
  const given = readInput(body, {
    operation: text(500),
    parameters: optional(record),
    headers: optional(record),
    inputs: optional(values),
    type: optional(text(500)),
  });
  return {
    operation: given.operation,
    parameters: textsIn(given.parameters, 'parameters'),
    headers: textsIn(given.headers, 'headers'),
    inputs: (given.inputs ?? []) as Attempt['inputs'],
    type: given.type,
  };
}

function textsIn(given: Readonly<Record<string, unknown>> = {}, what: string): Record<string, string> {
  const wrong = Object.entries(given).find(([, value]) => typeof value !== 'string');
  if (wrong === undefined) return given as Record<string, string>;
  const message = `${what}.${wrong[0].slice(0, 60)}: expected a text, found ${JSON.stringify(wrong[1])?.slice(0, 60)}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_INPUT', message, sent: false });
}

function summaryOf({ service, versions, quarantined }: CatalogueEntry): object {
  const newest = versions.at(-1);
  const { openapi, asyncapi, descriptors } = newest?.contract ?? {};
  return {
    service,
    version: newest?.number ?? 0,
    sinceMs: newest?.sinceMs ?? null,
    kinds: [openapi && 'http', descriptors && 'grpc', asyncapi && 'message'].filter(Boolean),
    operations: newest === undefined ? 0 : operationsOf(newest.contract).length,
    quarantined: quarantined.length,
  };
}

/** Without the contracts, which may be long. */
function shownEntry({ service, versions, quarantined }: CatalogueEntry): object {
  return {
    service,
    operations: searchCatalogue([{ service, versions, quarantined }], ''),
    versions: versions.map(({ contract: _, ...rest }) => rest),
    quarantined: quarantined.map(({ contract: _, ...rest }) => rest),
  };
}

function entryOf(catalogue: ApiCatalogue, { at }: Asked): CatalogueEntry {
  const service = at['service'] ?? '';
  const entry = catalogue.entry(service);
  if (entry !== undefined) return entry;
  const known = catalogue.entries.map((one) => one.service).join(', ');
  const message = `the catalogue has no contract of "${service.slice(0, 80)}"; it has those of ${known || 'nobody'}`;
  throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_SERVICE', message, sent: false });
}

/** That of the version that is asked for, or of the newest. */
function contractIn(catalogue: ApiCatalogue, asked: Asked): Contract {
  const { versions } = entryOf(catalogue, asked);
  const newest = versions.at(-1)?.number ?? 1;
  return versionAt(versions, wholeIn(asked.query, 'version', newest, 1, 1e9)).contract;
}

function versionAt(versions: CatalogueEntry['versions'], wanted: number): CatalogueEntry['versions'][number] {
  const found = versions.find(({ number }) => number === wanted);
  if (found !== undefined) return found;
  const message = `there is no version ${wanted}; there are ${versions.map(({ number }) => number).join(', ') || 'none yet'}`;
  throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_VERSION', message, sent: false });
}

/** Where the snippets lead: one instance, as it is registered. */
async function baseOf(registry: Registry, service: string): Promise<string> {
  const [first] = (await registry.instances(service)).instances;
  return first === undefined ? 'http://localhost' : `http://${first.address}:${first.port}`;
}
