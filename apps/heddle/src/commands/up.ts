import path from 'node:path';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { type ClaimedFolder, claimFolder, writeUpState } from '../node/data-folder.ts';
import { shopFile, withoutRoutes } from '../node/places.ts';
import { nodeProcesses } from '../node/processes.ts';
import { requirePort } from '../node/require-port.ts';
import { Progress } from '../terminal/progress.ts';
import { paint } from '../terminal/terminal.ts';
import {
  configDatabase,
  controlPlaneProgram,
  gatewayProgram,
  loadProgram,
  postgresProgram,
  shopPrograms,
  shopServices,
} from '../up/programs.ts';
import { System } from '../up/system.ts';
import { upUsage } from './up.usage.ts';

const host = '127.0.0.1';

/** `heddle up`. */
export const up: Command = {
  ...upUsage,
  run: async (given, world) => {
    checkoutOf(given);
    const wanted = { gateway: given.port('port', 8080), console: given.port('console-port', 8090) };
    const folder = claimFolder(given.text('data') ?? '.heddle');
    try {
      const gateway = await requirePort(host, wanted.gateway, 'gateway', '--port');
      const console = await requirePort(host, wanted.console, 'console', '--console-port');
      const postgres = await requirePort(host, 0, 'database', '');
      return await run(given, world, folder, { gateway, console, postgres });
    } finally {
      folder.release();
    }
  },
};

interface Ports {
  readonly gateway: number;
  readonly console: number;
  readonly postgres: number;
}

interface Urls {
  readonly gateway: string;
  readonly console: string;
  readonly token: string;
  readonly adminToken: string;
  /** The console's first password, at the very first start. */
  readonly password: string | undefined;
}

async function run(given: Given, world: World, folder: ClaimedFolder, ports: Ports): Promise<number> {
  const runtime = nodeRuntime({ name: 'up', logLevel: 'error', dataFolder: folder.path });
  const logs = path.join(folder.path, 'logs');
  const progress = new Progress(world.terminal, runtime.clock);
  const system = new System(nodeProcesses(logs), runtime, progress);
  const { asked, isAsked } = stopSignal(world, system);
  world.terminal.out(`${paint(world.terminal, 'bold', 'heddle up')}  data and logs in ${folder.path}\n`);
  let failure: unknown;
  try {
    const urls = await startAll(given, system, folder, ports, runtime);
    if (!isAsked()) {
      const { password: _, ...kept } = urls;
      writeUpState(folder.path, { pid: process.pid, logs, ...kept });
      announce(world, urls, given.flag('shop'), logs);
    }
    await asked;
  } catch (thrown) {
    if (!isAsked()) failure = thrown;
  }
  if (failure !== undefined) world.terminal.out('\n');
  else world.terminal.out(`\n${paint(world.terminal, 'bold', 'stopping')}  (Ctrl-C again: at once)\n`);
  const killed = await system.stop();
  if (failure !== undefined) throw withLogs(failure, logs);
  world.terminal.out('stopped\n');
  return killed === 0 ? exitCodes.done : exitCodes.failed;
}

/** The first signal asks for an orderly end, the second ends everything at once. */
function stopSignal(world: World, system: System): { asked: Promise<void>; isAsked: () => boolean } {
  let isAsked = false;
  const asked = new Promise<void>((resolve) => {
    world.onSignal((_signal, count) => {
      isAsked = true;
      resolve();
      if (count === 1) return;
      system.kill();
      process.exit(exitCodes.cutShort);
    });
  });
  return { asked, isAsked: () => isAsked };
}

async function startAll(
  given: Given,
  system: System,
  folder: ClaimedFolder,
  ports: Ports,
  runtime: Runtime,
): Promise<Urls> {
  const shop = given.flag('shop');
  const secret = (): string => Buffer.from(runtime.random.bytes(32)).toString('hex');
  const adminToken = secret();
  const surroundings = { dataFolder: folder.path, token: secret(), adminToken };
  const databases = [configDatabase, ...(shop ? shopServices : [])];
  const databaseUrls = await system.start('PostgreSQL', [
    postgresProgram(surroundings, ports.postgres, databases),
  ]);
  const plane = await system.start(
    'control plane and console',
    [
      controlPlaneProgram(surroundings, ports.console, {
        databaseUrls,
        alerts: given.text('alerts'),
        mesh: given.text('mesh'),
      }),
    ],
    ({ url }) => url ?? '',
  );
  const controlPlane = plane['address'] ?? '';
  if (shop) {
    const all = { ...surroundings, controlPlane, databaseUrls, checkout: checkoutOf(given) };
    for (const service of shopServices) {
      await system.start(`shop: ${service} ×2`, shopPrograms(service, all));
    }
  }
  const config = given.text('config') ?? (shop ? shopFile('gateway.yaml') : withoutRoutes());
  const program = gatewayProgram(surroundings, config, ports.gateway, controlPlane);
  const gateway = await system.start('gateway', [program], ({ url }) => url ?? '');
  const urls = {
    gateway: gateway['url'] ?? '',
    console: plane['url'] ?? '',
    adminToken,
    token: surroundings.token,
    password: plane['password'],
  };
  if (shop && !given.flag('no-load')) await system.start('shop: customers', [loadProgram(urls.gateway)]);
  return urls;
}

function checkoutOf(given: Given): string {
  const kind = given.text('checkout') ?? 'steps';
  if (/^(steps|saga|tcc|2pc)$/.test(kind)) return kind;
  throw usageError(`--checkout must be steps, saga, tcc or 2pc; found "${kind}"`);
}

function announce({ terminal }: World, urls: Urls, shop: boolean, logs: string): void {
  const order =
    `curl -s ${urls.gateway}/orders -H 'content-type: application/json' ` +
    `-H "idempotency-key: $(date +%s%N)" -d '${exampleOrder}'`;
  const lines = [
    ['console', urls.console],
    ['gateway', urls.gateway],
    ...(urls.password === undefined
      ? []
      : [
          [
            'sign in',
            `as admin with ${urls.password} (shown this once; HEDDLE_CONSOLE_PASSWORD sets another)`,
          ],
        ]),
    ...(shop ? [['an order', order]] : []),
    ['logs', logs],
    ['stop', 'Ctrl-C'],
  ];
  terminal.out(`\n${paint(terminal, 'green', 'ready')}\n`);
  for (const [name = '', value = ''] of lines) terminal.out(`  ${name.padEnd(9)} ${value}\n`);
}

const exampleOrder = '{"userId":"u00001","items":[{"productId":"p00001","quantity":1}]}';

function withLogs(failure: unknown, logs: string): HeddleError {
  const error = HeddleError.from(failure);
  return error.with({ message: `${error.message}\nThe logs are in ${logs}` });
}
