// Connect's conformance suite: our server before its clients, and our client before its servers.
import path from 'node:path';
import { connectConformance } from '../../engines/connect-conformance.ts';
import { lastWords, run } from '../../engines/command.ts';
import { type Found, isMissing, obtain } from '../../engines/engine.ts';
import { type Contract, type ContractResult, skippedWhole } from '../result.ts';
import { startBroker } from './conformance/server-broker.ts';

const backend = 'connect-conformance';
const limitMs = 300_000;
const mostTriedAgain = 200;
const folder = path.join(import.meta.dirname, 'conformance');

/** What one of our programs is run with, and what it is known not to do. */
interface Side {
  readonly mode: 'server' | 'client';
  readonly what: string;
  readonly flags: readonly string[];
  /** For cases that are run once more. */
  readonly calm: readonly string[];
  /** Patterns of cases that fail, each with the reason why it is left so. */
  readonly known: Readonly<Record<string, string>>;
}

const sides: readonly [Side, Side] = [
  {
    mode: 'server',
    what: 'server, Connect, gRPC and gRPC-Web over HTTP/1.1 and HTTP/2',
    flags: ['--parallel=16', '--max-servers=2'],
    calm: ['--parallel=4', '--max-servers=1'],
    known: {},
  },
  {
    mode: 'client',
    what: 'client, gRPC over HTTP/2, Connect and gRPC-Web over HTTP/1.1 and HTTP/2',
    flags: [],
    calm: [],
    known: {},
  },
];

/**
 * One result for each side, with the number of its cases in `detail`, and one more for each case that fails. Some cases
 * have deadlines, which a busy machine may miss: a few that fail are run once more, and `detail` says so.
 */
export const connectConformanceContract: Contract = {
  backend,
  run: async () => {
    const found = await obtain(connectConformance);
    if (isMissing(found)) return skippedWhole(backend, found.missing);
    const broker = await startBroker();
    try {
      const [server, client] = sides;
      const relay = [path.join(folder, 'relay.mjs'), String(broker.port)];
      const program = ['--conditions=@heddle/source', path.join(folder, 'client-program.ts')];
      return [...(await tried(found, server, relay)), ...(await tried(found, client, program))];
    } finally {
      await broker.stop();
    }
  },
};

async function tried(found: Found, side: Side, program: readonly string[]): Promise<ContractResult[]> {
  const { mode, flags, calm, known } = side;
  const failing = Object.keys(known).map((pattern) => `--known-failing=${pattern}`);
  const config = `--conf=${path.join(folder, `${mode}.yaml`)}`;
  const fixed = [`--mode=${mode}`, config, ...flags, ...failing];
  const once = async (more: readonly string[]): Promise<ContractResult[]> => {
    const args = [...fixed, ...more, '--', process.execPath, ...program];
    const ended = await run(found.path, args, { timeoutMs: limitMs });
    return readReport(ended.output, found.version, side);
  };
  const first = await once([]);
  const failed = first.flatMap(({ case: name, status }) =>
    status === 'fail' && name.startsWith(`${side.what}: `) ? [name.slice(side.what.length + 2)] : [],
  );
  if (failed.length === 0 || failed.length > mostTriedAgain) return first;
  const again = await once([...calm, ...failed.map((name) => `--run=${name}`)]);
  if (again.some(({ status }) => status === 'fail')) return first;
  const [all, ...others] = first;
  const passed: ContractResult = { ...(all as ContractResult), status: 'pass' };
  const detail = `${all?.detail ?? ''}, the other ${failed.length} in a second run`;
  return [{ ...passed, detail }, ...others.filter(({ status }) => status !== 'fail')];
}

/** What the runner printed, as results. Throws when it has no end. */
export function readReport(
  output: string,
  version: string,
  { what, known }: Pick<Side, 'what' | 'known'>,
): ContractResult[] {
  const common = { backend, version };
  const total = /^Total cases: (\d+)\n(\d+) passed, (\d+) failed/m.exec(output);
  if (total === null) throw new Error(`the conformance runner did not get to its end: ${lastWords(output)}`);
  const failed = [...output.matchAll(/^FAILED: (.*?):?\n((?:\t.*\n)*)/gm)].map(([, name = '', why = '']) => ({
    ...common,
    case: `${what}: ${name}`,
    status: 'fail' as const,
    detail: why.replace(/\s+/g, ' ').trim(),
  }));
  const expected = Object.entries(known).map(([pattern, detail]) => ({
    ...common,
    case: `${what}: ${pattern}`,
    status: 'unsupported' as const,
    detail,
  }));
  const [, cases = '', passed = '', count = '0'] = total;
  const status = failed.length === 0 && count === '0' ? ('pass' as const) : ('fail' as const);
  const all: ContractResult = { ...common, case: what, status, detail: `${passed} of ${cases} cases passed` };
  return [all, ...failed, ...expected];
}
