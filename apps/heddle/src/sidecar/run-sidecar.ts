import type { Address, Part, Runtime } from '@heddle/kernel';
import type { Locality } from '@heddle/mesh/model';
import { ControlPlaneClient, ModelFollower } from '@heddle/mesh/plane';
import { Sidecar } from '@heddle/mesh/sidecar';
import { fetchText, jsonAnswer } from '@heddle/proxy';
import { httpServer, type ServerPart } from '@heddle/rpc';
import { RemoteKeys } from '@heddle/security';
import { KeptJwts } from '@heddle/security/identity';
import { MetricRegistry, metricsService, processMetrics } from '@heddle/telemetry';
import { processReader } from '@heddle/telemetry/node';
import type { EndpointTls } from '@heddle/wire';
import type { World } from '../command.ts';
import { LineWriter } from '../node/line-writer.ts';
import { filesBeside } from '../node/config-file.ts';
import { outerNames } from '../node/outer-names.ts';
import { runServer } from '../node/run-server.ts';
import type { AppProbe } from '../inject/app-health.ts';
import { healthServer } from '../inject/health-server.ts';
import { workloadApiServer } from '../workload-api/workload-api-server.ts';
import { askProviders } from './ask-providers.ts';
import { NameServer } from './name-server.ts';
import { keptIdentity, SidecarIdentity } from './sidecar-identity.ts';

/** What a sidecar is run with. */
export interface SidecarRun {
  readonly controlPlanes: readonly Address[];
  /** How to speak TLS with them; undefined: plaintext. */
  readonly controlPlaneTls: EndpointTls | undefined;
  /** The bootstrap token, or that of the service account, as it is now; empty: the kept identity must do. */
  readonly token: () => string;
  readonly workload: string;
  readonly locality: Locality | undefined;
  readonly inboundAddress: string | undefined;
  readonly ownAddresses: boolean;
  /** Where names are answered; undefined: nowhere. */
  readonly dns: Address | undefined;
  readonly dnsUpstream: Address | undefined;
  readonly adminPort: number;
  /** Where kubelets ask; undefined: nowhere. */
  readonly health: Address | undefined;
  readonly probes: ReadonlyMap<string, AppProbe>;
  /** The socket of the Workload API; undefined: there is none. */
  readonly workloadApi: string | undefined;
  readonly accessLog: boolean;
  /** URLs of those who are asked by CUSTOM policies, by name. */
  readonly providers: ReadonlyMap<string, string>;
}

/** Runs a sidecar until a signal stops it; gives the exit code. */
export async function runSidecar(run: SidecarRun, runtime: Runtime, world: World): Promise<number> {
  const { controlPlanes, controlPlaneTls, token, workload } = run;
  const kept = await keptIdentity(runtime, token());
  const client: ControlPlaneClient = new ControlPlaneClient({
    runtime,
    addresses: controlPlanes,
    tls: controlPlaneTls,
    token,
    held: () => identity.held,
  });
  const identity = new SidecarIdentity(runtime, client.certificate, kept);
  const metrics = new MetricRegistry();
  processMetrics(metrics, processReader());
  const names = run.dns && new NameServer({ runtime, address: run.dns, upstream: run.dnsUpstream });
  const lines = new LineWriter(1, runtime);
  const sidecar = sidecarOf(run, runtime, { identity, metrics, names, lines });
  const follower = new ModelFollower({
    runtime,
    plane: 'proxy',
    node: `${workload} ${process.pid}`,
    workload,
    ask: client.model,
    apply: (model) => sidecar.apply(model),
    file: 'model.json',
  });
  const admin = adminServer(run, runtime, metrics, follower);
  const health = run.health && healthOf(run, run.health, runtime, metrics, follower);
  const api = run.workloadApi === undefined ? undefined : apiAt(run.workloadApi, runtime, identity, client);
  const parts: Part[] = [
    // First: whoever waits for the rest asks here.
    ...(health === undefined ? [] : [health]),

    identity,
    ...(api === undefined ? [] : [api]),
    ...(names === undefined ? [] : [names]),
    sidecar,
    following(follower),
    admin,
  ];
  const facts = (): Record<string, string> => ({
    admin: textOf(admin.address),
    ...(names !== undefined && { dns: textOf(names.address) }),
    ...(health !== undefined && { health: textOf(health.address) }),
    rules: follower.status.source,
  });
  const code = await runServer({ name: 'sidecar', runtime, parts, propagationMs: 0 }, world, facts);
  client.close();
  lines.close();
  return code;
}

interface Made {
  readonly identity: SidecarIdentity;
  readonly metrics: MetricRegistry;
  readonly names: NameServer | undefined;
  readonly lines: LineWriter;
}

function sidecarOf(run: SidecarRun, runtime: Runtime, { identity, metrics, names, lines }: Made): Sidecar {
  const { workload, locality, inboundAddress, ownAddresses, dnsUpstream, accessLog, providers } = run;
  return new Sidecar({
    runtime,
    workload,
    identity: identity.kept,
    ownAddresses,
    files: filesBeside('.'),
    lookUp: dnsUpstream === undefined ? async () => [] : outerNames(dnsUpstream),
    remoteKeys: (url) => new RemoteKeys({ clock: runtime.clock, fetch: () => fetchText(url, runtime) }),
    metrics,
    ...(locality !== undefined && { locality }),
    ...(inboundAddress !== undefined && { inboundAddress }),
    ...(providers.size > 0 && { ask: askProviders(providers, runtime) }),
    ...(accessLog && { accessLog: { format: { format: 'json', sample: 1 }, write: lines.write } }),
    ...(names !== undefined && { onNames: (found) => names.become(found) }),
  });
}

/** It changes nothing any more once the sidecar drains: what it closes must not be opened again. */
function following(follower: ModelFollower): Part {
  return {
    name: follower.name,
    start: () => follower.start(),
    drain: () => follower.stop(),
    stop: () => follower.stop(),
  };
}

function apiAt(
  path: string,
  runtime: Runtime,
  identity: SidecarIdentity,
  client: ControlPlaneClient,
): ServerPart {
  const tokens = new KeptJwts(runtime.clock, client.jwt);
  // What comes with a certificate may be other keys: tokens of before are not given out any more.
  identity.kept.onRenewed(() => tokens.forget());
  return workloadApiServer({ runtime, path, identity: identity.kept, tokens });
}

function healthOf(
  { probes }: SidecarRun,
  address: Address,
  runtime: Runtime,
  registry: MetricRegistry,
  follower: ModelFollower,
): ServerPart {
  const isReady = (): boolean => follower.status.version !== '';
  return healthServer({ runtime, address, isReady, probes, metrics: metricsService(registry) });
}

/** For probes and for Prometheus: nothing here is secret, and nothing can be changed. */
function adminServer(
  { adminPort }: SidecarRun,
  runtime: Runtime,
  metrics: MetricRegistry,
  follower: ModelFollower,
): ServerPart {
  const measured = metricsService(metrics);
  return httpServer(
    async (req, call) => {
      const { status } = follower;
      if (req.path === '/ready') return jsonAnswer(status.version === '' ? 503 : 200, status);
      return measured(req, call);
    },
    { runtime, address: { host: '127.0.0.1', port: adminPort } },
  );
}

function textOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
