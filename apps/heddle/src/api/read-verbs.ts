import { contractChanges, type ContractChange, type ProtoCategory } from '@heddle/api';
import { exitCodes, usageError } from '../command.ts';
import { readContractFile } from '../node/contract-file.ts';
import { table } from '../terminal/table.ts';
import { paint } from '../terminal/terminal.ts';
import {
  type ApiAsked,
  type ApiVerb,
  askPlane,
  contractOf,
  printJson,
  tellPlane,
  wordsOf,
} from './api-asked.ts';

interface Found {
  readonly service: string;
  readonly kind: string;
  readonly id: string;
  readonly summary: string;
}

interface Summary {
  readonly service: string;
  readonly version: number;
  readonly kinds: readonly string[];
  readonly operations: number;
  readonly quarantined: number;
}

interface Shown {
  readonly service: string;
  readonly operations: readonly Found[];
  readonly versions: readonly {
    readonly number: number;
    readonly serviceVersion: string;
    readonly sinceMs: number;
    readonly approvedBy?: string;
    readonly changes: readonly ContractChange[];
  }[];
}

interface Quarantined {
  readonly service: string;
  readonly hash: string;
  readonly serviceVersion: string;
  readonly instances: readonly string[];
  readonly changes: readonly ContractChange[];
  readonly consumers: readonly {
    readonly service: string;
    readonly operations: readonly string[];
    readonly known: string;
  }[];
}

/** The verbs that look at contracts and judge them. */
export const readVerbs: Readonly<Record<string, ApiVerb>> = {
  list: async (asked) => {
    wordsOf(asked, 'list');
    const { services } = await askPlane<{ services: Summary[] }>(asked, '');
    const rows = services.map(
      (one): Record<string, string | number> => ({ ...one, kinds: one.kinds.join(', ') }),
    );
    return shownRows(asked, services, rows, 'no contracts yet\n');
  },
  search: async (asked) => {
    const { operations } = await askPlane<{ operations: Found[] }>(asked, '/-/search', {
      q: asked.words.join(' '),
    });
    return shownRows(asked, operations, operations.map(foundRow), 'nothing found\n');
  },
  show: async (asked) => {
    const [service = ''] = wordsOf(asked, 'show', 'SERVICE');
    const shown = await askPlane<Shown>(asked, `/${encodeURIComponent(service)}`);
    return shownRows(asked, shown, shown.operations.map(foundRow), `${service} has no operations\n`);
  },
  contract: async (asked) => {
    const [name = ''] = wordsOf(asked, 'contract', 'SERVICE|FILE');
    printJson(asked, await contractOf(asked, name));
    return exitCodes.done;
  },
  versions: async (asked) => {
    const [service = ''] = wordsOf(asked, 'versions', 'SERVICE');
    const { versions } = await askPlane<Shown>(asked, `/${encodeURIComponent(service)}`);
    const rows = versions.map(({ number, serviceVersion, sinceMs, approvedBy = '', changes }) => ({
      version: number,
      code: serviceVersion,
      since: new Date(sinceMs).toISOString(),
      breaking: changes.filter(({ level }) => level === 'breaking').length,
      changes: changes.length,
      approved: approvedBy,
    }));
    return shownRows(asked, versions, rows.toReversed(), 'no versions\n');
  },
  diff: async (asked) => {
    const { words } = asked;
    const [service, from, to] = words;
    if (service === undefined || words.length > 3)
      throw usageError('"heddle api diff" takes SERVICE [FROM TO]');
    const parameters = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const { changes } = await askPlane<{ changes: ContractChange[] }>(
      asked,
      `/${encodeURIComponent(service)}/diff`,
      parameters,
    );
    if (asked.given.flag('json')) printJson(asked, changes);
    else tellChanges(asked, changes);
    return exitCodes.done;
  },
  check: async (asked) => {
    const [old = '', now = ''] = wordsOf(asked, 'check', 'OLD', 'NEW');
    const before = await contractOf(asked, old);
    const changes = contractChanges(before, readContractFile(now), categoryIn(asked));
    if (asked.given.flag('json')) printJson(asked, changes);
    else tellChanges(asked, changes);
    return changes.some(({ level }) => level === 'breaking') ? exitCodes.failed : exitCodes.done;
  },
  quarantine: async (asked) => {
    wordsOf(asked, 'quarantine');
    const { records } = await askPlane<{ records: Quarantined[] }>(asked, '/-/quarantine');
    if (asked.given.flag('json')) printJson(asked, records);
    else for (const record of records) tellRecord(asked, record);
    if (records.length === 0 && !asked.given.flag('json'))
      asked.world.terminal.out('nothing is in quarantine\n');
    return exitCodes.done;
  },
  approve: async (asked) => {
    const [service = '', hash = ''] = wordsOf(asked, 'approve', 'SERVICE', 'CONTRACT');
    const by = asked.given.text('by') ?? process.env['USER'] ?? 'command line';
    const { version } = await tellPlane<{ version: number }>(
      asked,
      `/${encodeURIComponent(service)}/approve`,
      { hash, by },
    );
    asked.world.terminal.out(`${service} is at version ${version}, and its instances get calls\n`);
    return exitCodes.done;
  },
};

function categoryIn({ given }: ApiAsked): ProtoCategory {
  const category = given.text('category') ?? 'PACKAGE';
  if (category === 'PACKAGE' || category === 'WIRE_JSON' || category === 'WIRE') return category;
  throw usageError(`--category expects PACKAGE, WIRE_JSON or WIRE, found "${category}"`);
}

function foundRow({ service, kind, id, summary }: Found): Record<string, string> {
  return { service, kind, operation: id, summary };
}

function shownRows(
  asked: ApiAsked,
  json: unknown,
  rows: readonly Record<string, string | number>[],
  none: string,
): number {
  if (asked.given.flag('json')) printJson(asked, json);
  else asked.world.terminal.out(rows.length === 0 ? none : table(rows));
  return exitCodes.done;
}

const colours = { breaking: 'red', warning: 'yellow', compatible: 'green' } as const;

function tellChanges({ world: { terminal } }: ApiAsked, changes: readonly ContractChange[]): void {
  if (changes.length === 0) terminal.out('nothing differs\n');
  for (const { level, rule, operations, at, message } of changes) {
    const where = [operations.length > 2 ? `${operations.length} operations` : operations.join(', '), at];
    const place = [...new Set(where)].filter((part) => part !== '').join(': ');
    terminal.out(`${paint(terminal, colours[level], level.padEnd(10))} ${place}: ${message} (${rule})\n`);
  }
}

function tellRecord(asked: ApiAsked, record: Quarantined): void {
  const { terminal } = asked.world;
  const { service, hash, serviceVersion, instances, changes, consumers } = record;
  terminal.out(`${service} ${hash}  code ${serviceVersion || '?'}, instances ${instances.join(', ')}\n`);
  tellChanges(asked, changes);
  const named = consumers.map(
    (one) =>
      `${one.service} (${one.known}${one.operations.length > 0 ? `: ${one.operations.join(', ')}` : ''})`,
  );
  terminal.out(`would break: ${named.join('; ') || 'nobody that is known'}\n`);
  terminal.out(`let it in with: heddle api approve ${service} ${hash}\n`);
}
