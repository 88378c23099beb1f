import { HeddleError, type Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { readGatewayDocuments } from '@heddle/proxy';
import { type Observed, observed, telemetrySettings } from '@heddle/telemetry';
import { type Command, exitCodes, type Given, usageError, type World } from '../command.ts';
import { checkPolicies } from '../gateway/mesh-policies.ts';
import { runGateway } from '../gateway/run-gateway.ts';
import { runWorker } from '../gateway/run-worker.ts';
import { isWorker } from '../node/cluster-workers.ts';
import { readDocuments } from '../node/config-documents.ts';
import { cores } from '../node/cores.ts';
import { filesBeside } from '../node/config-file.ts';
import { gatewayDefaults, gatewaySettings } from '../settings/gateway-settings.ts';
import { ownSettings } from '../settings/own-settings.ts';
import { isPlace, readPlanePlace, registryAt } from '../registry-access.ts';
import { gatewayUsage } from './gateway.usage.ts';

/** `heddle gateway`. */
export const gateway: Command = {
  ...gatewayUsage,
  run: async (given, world) => {
    const place = given.text('config');
    if (place === undefined) throw usageError('"heddle gateway" needs --config FILE');
    if (given.words.some((word) => word !== 'check') || given.words.length > 1)
      throw usageError(`"heddle gateway" knows only the word "check", found "${given.words.join(' ')}"`);
    if (given.flag('check') || given.words.length > 0) {
      return check(place, world);
    }
    const at = given.text('registry') ?? process.env['HEDDLE_REGISTRY'];
    const name = isWorker ? `gateway-${process.pid}` : 'gateway';
    const { runtime, part: telemetry } = observedGateway(
      nodeRuntime({ name, dataFolder: given.text('data') ?? '.heddle' }),
      at,
    );
    const registry = at === undefined ? undefined : await registryAt(at, runtime);
    if (isWorker) return runWorker({ runtime, telemetry, registry, files: filesBeside(place) }, world);
    const adminPort = given.port('admin-port', 0);
    return runGateway(
      {
        place,
        port: given.text('port') === undefined ? undefined : given.port('port', 0),
        adminPort,
        token: adminToken(given),
        workers: workersOf(given),
        registry,
        telemetry,
        files: filesBeside(place),
        settings: await ownSettings({
          runtime,
          name: 'gateway',
          schema: gatewaySettings,
          defaults: gatewayDefaults,
        }),
      },
      runtime,
      world,
    );
  },
};

/** Prints what is wrong with a configuration, a line for each problem, or that nothing is. */
function check(place: string, world: World): number {
  try {
    const { routes } = readGatewayDocuments(readDocuments(place), checkPolicies);
    world.terminal.out(`${place}: ${counted(routes.length, 'route')}, no problems\n`);
    return exitCodes.done;
  } catch (thrown) {
    const { reason, message, details } = HeddleError.from(thrown);
    if (reason !== 'BAD_CONFIG') throw thrown;
    world.terminal.out(`${message}\n${place}: ${counted(details.length, 'problem')}\n`);
    return exitCodes.failed;
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function workersOf(given: Given): number {
  const text = given.text('workers');
  if (text === undefined) return Math.max(2, cores());
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 256) return count;
  throw usageError(`--workers expects a whole number from 1 to 256, found "${text}"`);
}

/** Sends its telemetry to the control plane that it gets its instances from, unless the environment says otherwise. */
function observedGateway(runtime: Runtime, registry: string | undefined): Observed {
  const plane =
    registry !== undefined && isPlace(registry) ? readPlanePlace(registry, '--registry') : undefined;
  const settings = telemetrySettings(process.env, plane?.address, (problem) => {
    throw usageError(problem);
  });
  const resource = { 'service.name': 'gateway', 'service.instance.id': `gateway-${process.pid}` };
  // Whoever else is named by the environment is spoken to in plaintext.
  const tls = settings.address === plane?.address ? plane?.tls : undefined;
  return observed(runtime, { ...settings, tls }, resource, process.env['HEDDLE_REGISTRY_TOKEN']);
}

/** The admin API has no default for its token: who wants it on a port must say who may use it. */
function adminToken(given: Given): string | undefined {
  const token = process.env['HEDDLE_ADMIN_TOKEN'] ?? '';
  if (token !== '') return token;
  if (given.text('admin-port') === undefined) return undefined;
  const message =
    'HEDDLE_ADMIN_TOKEN is not set: it is the secret of those who use the admin API, and has no default';
  throw new HeddleError({ code: 'failed_precondition', reason: 'MISSING_SECRET', message, sent: false });
}
