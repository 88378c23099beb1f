import type { Part, Runtime, TlsMaterial } from '@heddle/kernel';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import { httpServer } from '@heddle/rpc';
import { MetricRegistry, metricsService, processMetrics, serverMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { HttpService } from '@heddle/wire';
import { type Given, usageError, type World } from '../command.ts';
import { watchDocuments } from '../node/config-documents.ts';
import { readTextFile } from '../node/config-file.ts';
import { runServer } from '../node/run-server.ts';
import { injectSettings } from './inject-options.ts';
import { injectWebhook } from './webhook.ts';

/** Runs the webhook until a signal ends it. Certificate and key are read again when their files change. */
export async function serveWebhook(given: Given, world: World): Promise<number> {
  const files = {
    certificates: wanted(given, 'tls-cert'),
    privateKey: wanted(given, 'tls-key'),
    trust: given.text('client-ca'),
  };
  const settings = injectSettings(given);
  const runtime = nodeRuntime({ name: 'inject' });
  const store = new TlsStore(materialOf(files));
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
    tls: { source: store, clients: files.trust === undefined ? 'off' : 'require' },
    observe: serverMetrics(metrics, { service: 'inject' }),
  });
  const parts = [renewal(files, store, runtime), server];
  const facts = (): Record<string, string> => {
    const address = `${server.address.host}:${server.address.port}`;
    return { address, url: `https://${address}/inject`, proxy: settings.proxy, image: settings.image };
  };
  return runServer({ name: 'inject', runtime, parts, propagationMs: 0 }, world, facts);
}

interface Files {
  readonly certificates: string;
  readonly privateKey: string;
  readonly trust: string | undefined;
}

function wanted(given: Given, name: string): string {
  const file = given.text(name);
  if (file !== undefined) return file;
  throw usageError(`--webhook needs --${name} FILE: an API server speaks to a webhook by TLS alone`);
}

function materialOf({ certificates, privateKey, trust }: Files): TlsMaterial {
  return {
    identities: [
      {
        certificates: readTextFile(certificates, 'certificate'),
        privateKey: readTextFile(privateKey, 'private key'),
      },
    ],
    ...(trust !== undefined && { trust: readTextFile(trust, 'certificate of an authority') }),
  };
}

/** A certificate and key that do not fit are files that are being written: those of before are used on. */
function renewal(files: Files, store: TlsStore, runtime: Runtime): Part {
  const read = (): void => {
    try {
      const before = store.current;
      const now = materialOf(files);
      if (JSON.stringify(now) === JSON.stringify(before)) return;
      store.update(now);
      runtime.log('info', 'the certificate has been renewed', {});
    } catch (thrown) {
      runtime.log('warn', 'the certificate cannot be renewed; the one of before is used on', {
        message: thrown instanceof Error ? thrown.message : String(thrown),
      });
    }
  };
  let end: () => void = () => {};
  return {
    name: 'certificate',
    start: async () => void (end = watchDocuments(files.certificates, runtime, read)),
    stop: async () => end(),
  };
}
