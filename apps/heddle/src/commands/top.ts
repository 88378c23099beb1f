import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, usageError } from '../command.ts';
import type { Overview, ServiceView, TrafficView } from '../control-plane/overview.ts';
import { untilToldToStop } from '../hold.ts';
import { PlaneClient } from '../observe/plane-client.ts';
import { table } from '../terminal/table.ts';
import { paint, type Terminal } from '../terminal/terminal.ts';
import { topUsage } from './top.usage.ts';

const everyMs = 2000;
/** Edges are counted by the minute: fewer would often be an empty one. */
const edgesMs = 120_000;
const home = '\u001b[H\u001b[J';

interface EdgeView {
  readonly client: string;
  readonly server: string;
  readonly calls: number;
  readonly perSecond: number;
  readonly errorRate: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
}

interface Topology {
  readonly edges: readonly EdgeView[];
}

/** `heddle top`. */
export const top: Command = {
  ...topUsage,
  run: async (given, world) => {
    if (given.words.length > 0)
      throw usageError(`"heddle top" takes no word, found "${given.words.join(' ')}"`);
    const runtime = nodeRuntime({ name: 'top', logLevel: 'error' });
    const plane = new PlaneClient(given, runtime);
    const { terminal } = world;
    let stopped = false;
    const isOnce = given.flag('once') || !terminal.interactive;
    const told = isOnce
      ? Promise.resolve()
      : untilToldToStop(given, world, runtime).then(() => {
          stopped = true;
        });
    try {
      for (;;) {
        const from = String(Math.floor(runtime.clock.wallMs() - edgesMs));
        const [overview, topology] = await Promise.all([
          plane.get<Overview>('/api/overview'),
          plane.get<Topology>('/api/topology', { from }),
        ]);
        const services = overview?.services ?? [];
        const edges = topology?.edges ?? [];
        if (given.flag('json')) terminal.out(`${JSON.stringify({ services, edges }, undefined, 2)}\n`);
        else terminal.out(`${isOnce ? '' : home}${screen(services, edges, terminal)}`);
        if (isOnce || stopped) return 0;
        await Promise.race([told, sleep(runtime.timers, everyMs)]);
        if (stopped) return 0;
      }
    } finally {
      plane.close();
    }
  },
};

function screen(services: readonly ServiceView[], edges: readonly EdgeView[], terminal: Terminal): string {
  const title = (text: string): string => `${paint(terminal, 'bold', text)}\n`;
  const width = terminal.interactive ? terminal.width : undefined;
  const calls = edges.map((edge) => ({
    from: edge.client,
    to: edge.server,
    'calls/s': edge.perSecond.toFixed(1),
    errors: percent(edge.errorRate),
    p50: ms(edge.p50Ms),
    p90: ms(edge.p90Ms),
    p99: ms(edge.p99Ms),
  }));
  const none = 'no calls between services in the last two minutes\n';
  return [
    title('services'),
    table(services.map(serviceRow), width, ['cpu', 'memory', 'in flight', 'p95']),
    '\n',
    title('calls, the last two minutes'),
    calls.length === 0 ? none : table(calls, width, ['p90', 'p50']),
  ].join('');
}

function serviceRow({ name, traffic, instances }: ServiceView): Record<string, string | number> {
  const sum = (value: (instance: ServiceView['instances'][number]) => number | null): number | null => {
    const known = instances.map(value).filter((each) => each !== null);
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
  };
  const bytes = sum(({ residentBytes }) => residentBytes);
  const cores = sum(({ cpuCores }) => cpuCores);
  return {
    service: name,
    up: `${instances.filter(({ metrics }) => metrics === 'read').length}/${instances.length}`,
    ...trafficCells(traffic),
    'in flight': sum(({ inFlight }) => inFlight) ?? '-',
    memory: bytes === null ? '-' : `${Math.round(bytes / 1_048_576)} MiB`,
    cpu: cores === null ? '-' : `${(cores * 100).toFixed(0)} %`,
  };
}

function trafficCells(traffic: TrafficView | null): Record<string, string> {
  return {
    'req/s': traffic === null ? '-' : traffic.perSecond.toFixed(1),
    errors: traffic?.errorShare === null || traffic === null ? '-' : percent(traffic.errorShare),
    p50: traffic?.p50Ms === null || traffic === null ? '-' : ms(traffic.p50Ms),
    p95: traffic?.p95Ms === null || traffic === null ? '-' : ms(traffic.p95Ms),
  };
}

/** A share that is not none is never shown as none. */
function percent(share: number): string {
  if (share === 0) return '0 %';
  return share < 0.001 ? '<0.1 %' : `${(share * 100).toFixed(1)} %`;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
