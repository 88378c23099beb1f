// The process: settings from the environment, then the service until SIGTERM or Ctrl-C.
import { openRegistry } from '@heddle/discovery/node';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime, runProcess } from '@heddle/kernel/node';
import { observed } from '@heddle/telemetry';
import { dailyGreetingApp, serviceName } from './app.ts';
import { readSettings } from './settings.ts';

const bare = nodeRuntime({ name: serviceName });
try {
  const settings = readSettings(process.env);
  const { telemetry, token, version } = settings;
  const resource = { 'service.name': serviceName, 'service.version': version };
  const { runtime, part } = observed(bare, telemetry, resource, token);
  const registry = await openRegistry(settings.registry, { runtime });
  await runProcess(dailyGreetingApp({ runtime, registry, settings, parts: [part] }), runtime.log);
} catch (error) {
  bare.log('error', 'could not start', { problem: HeddleError.from(error).message });
  process.exitCode = 1;
}
