import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer } from '@heddle/rpc';
import { MetricRegistry, metricsService, processMetrics, serverMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { HttpService } from '@heddle/wire';
import { type Given, usageError, type World } from '../command.ts';
import { readTextFile } from '../node/config-file.ts';
import { runServer } from '../node/run-server.ts';
import { watchedCertificate } from '../node/watched-certificate.ts';
import { injectSettings } from './inject-options.ts';
import { injectWebhook } from './webhook.ts';

/** Runs the webhook until a signal ends it. Certificate and key are read again when their files change. */
export async function serveWebhook(given: Given, world: World): Promise<number> {
  const authorities = given.text('client-ca');
  const files = {
    certificates: wanted(given, 'tls-cert'),
    privateKey: wanted(given, 'tls-key'),
    trust: () =>
      authorities === undefined ? undefined : readTextFile(authorities, 'certificate of an authority'),
  };
  const settings = injectSettings(given);
  const runtime = nodeRuntime({ name: 'inject' });
  const { source, part: renewal } = watchedCertificate(files, runtime);
  const metrics = new MetricRegistry();
  processMetrics(metrics, processReader());
  const webhook = injectWebhook(settings, runtime, metrics);
  const ownMetrics = metricsService(metrics);
  const service: HttpService = (request, call) =>
    request.path === '/metrics' ? ownMetrics(request, call) : webhook(request, call);
  const server = httpServer(service, {
    runtime,
    address: { host: given.text('host') ?? '127.0.0.1', port: given.port('port', 8443) },
    // An API server asks about one pod at a time for each that is being made.
    maxCalls: 1000,
    tls: { source, clients: authorities === undefined ? 'off' : 'require' },
    observe: serverMetrics(metrics, { service: 'inject' }),
  });
  const parts = [renewal, server];
  const facts = (): Record<string, string> => {
    const address = `${server.address.host}:${server.address.port}`;
    return { address, url: `https://${address}/inject`, proxy: settings.proxy, image: settings.image };
  };
  return runServer({ name: 'inject', runtime, parts, propagationMs: 0 }, world, facts);
}

function wanted(given: Given, name: string): string {
  const file = given.text(name);
  if (file !== undefined) return file;
  throw usageError(`--webhook needs --${name} FILE: an API server speaks to a webhook by TLS alone`);
}
