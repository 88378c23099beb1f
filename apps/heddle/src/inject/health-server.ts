import type { Address, Runtime } from '@heddle/kernel';
import { jsonAnswer } from '@heddle/proxy';
import { httpServer, type ServerPart } from '@heddle/rpc';
import type { HttpService } from '@heddle/wire';
import { type AppProbe, askApplication } from './app-health.ts';

/** What a sidecar's health is told from. */
export interface HealthServerOptions {
  readonly runtime: Runtime;
  readonly address: Address;
  /** Whether rules are in force. */
  readonly isReady: () => boolean;
  readonly probes: ReadonlyMap<string, AppProbe>;
  readonly metrics: HttpService;
}

/**
 * For kubelets and Prometheus, in the clear, since they have no identity: `/healthz/ready`, the probes of the
 * application by their paths, `/stats/prometheus`. Nothing here is secret, and nothing can be changed.
 */
export function healthServer(options: HealthServerOptions): ServerPart {
  const { runtime, address, isReady, probes, metrics } = options;
  const service: HttpService = async (req, call) => {
    const path = req.path.split('?', 1)[0] ?? '';
    if (path === '/healthz/ready') return jsonAnswer(isReady() ? 200 : 503, { ready: isReady() });
    if (path === '/stats/prometheus') return metrics({ ...req, path: '/metrics' }, call);
    const probe = probes.get(path);
    if (probe === undefined) return jsonAnswer(404, { message: 'there is no such probe' });
    const why = await askApplication(probe, runtime);
    return jsonAnswer(
      why === undefined ? 200 : 503,
      why === undefined ? { well: true } : { well: false, why },
    );
  };
  const server = httpServer(service, { runtime, address, maxCalls: 100 });
  return {
    name: 'health',
    layers: server.layers,
    get address() {
      return server.address;
    },
    get connections() {
      return server.connections;
    },
    start: () => server.start(),
    drain: () => server.drain(),
    stop: () => server.stop(),
  };
}
