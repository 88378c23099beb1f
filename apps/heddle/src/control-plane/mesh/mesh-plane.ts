import { bearerCheck } from '@heddle/discovery/clients';
import { type Call, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { ModelFeed } from '@heddle/mesh/plane';
import { AggregatedDiscoveryService, WorkloadSecrets, XdsServer } from '@heddle/mesh/xds';
import { metadata, rpcService } from '@heddle/rpc';
import { BootstrapTokens, CertificateService, type SpiffeId } from '@heddle/security/identity';
import type { HttpRequest, HttpService } from '@heddle/wire';
import { MeshRules, type RulesScope } from './mesh-rules.ts';
import { meshApi } from './mesh-api.ts';
import { meshAuthorityIn } from './mesh-authority.ts';
import { bootstrapKey } from './bootstrap-key.ts';

/** What the mesh's side of a control plane is made from. */
export interface MeshPlaneOptions {
  readonly runtime: Runtime;
  /** Of the registry: operators show it, and so do the proxies that are to have certificates. */
  readonly token: string;
  readonly scope: RulesScope;
  /** Calls its argument when the files may have changed; returns what ends that. Reads them by `read`. */
  readonly watch: (changed: () => void) => () => void;
  readonly read: () => Promise<Parameters<MeshRules['offer']>[0]>;
}

/** The mesh's side of a control plane: rules from files, xDS, certificates. */
export interface MeshPlane {
  readonly part: Part;
  /** The service for a request that is one of the mesh; undefined for others. */
  serviceFor(request: HttpRequest): HttpService | undefined;
}

/** Opens it: the authority of the mesh is kept in the data folder, and made there the first time. */
export async function meshPlane(options: MeshPlaneOptions): Promise<MeshPlane> {
  const { runtime, token, scope } = options;
  const { trustDomain = 'cluster.local' } = scope;
  const authority = await meshAuthorityIn(runtime, trustDomain);
  const certificates = new CertificateService({ runtime, trustDomain, authority });
  const check = bearerCheck(token);
  const isTrusted = (call: Call): boolean => {
    try {
      check(call.get(metadata)?.request.get('authorization') ?? undefined);
      return true;
    } catch {
      return false;
    }
  };
  const idOf = (workload: string): SpiffeId | undefined => {
    const known = xds.model.workloads.get(workload);
    if (known === undefined) return undefined;
    const { namespace, serviceAccount } = known;
    return { trustDomain, namespace, serviceAccount };
  };
  const secrets = new WorkloadSecrets({
    runtime,
    service: certificates,
    idOf,
    onRenewed: (workload) => xds.renewSecrets(workload),
  });
  const xds: XdsServer = new XdsServer({
    runtime,
    trustDomain,
    isTrusted,
    secrets: (each) => secrets.of(each),
  });
  const feed = new ModelFeed({ runtime, trustDomain });
  const rules = new MeshRules(scope, (model) => {
    xds.update(model);
    feed.update(model);
  });
  const tokens = new BootstrapTokens(bootstrapKey(token), runtime.clock);
  const discovery = rpcService((router) => router.service(AggregatedDiscoveryService, xds.handlers));
  const api = meshApi({ rules, xds, feed, check, tokens, certificates });
  return {
    part: rulesPart(options, rules, () => {
      secrets.close();
      feed.close();
      xds.close();
    }),
    serviceFor: ({ path }) => {
      if (path.startsWith(`/${AggregatedDiscoveryService.typeName}/`)) return discovery;
      return path === '/v1/mesh' || path.startsWith('/v1/mesh/') ? api : undefined;
    },
  };
}

/** Reads the rules at the start, where bad ones are an error, and again with each change, where they are only refused. */
function rulesPart(options: MeshPlaneOptions, rules: MeshRules, close: () => void): Part {
  const { runtime, read, watch } = options;
  let stopWatching: () => void = () => {};
  const look = async (): Promise<void> => {
    const before = rules.view;
    const isTaken = rules.offer(await read(), runtime.clock.wallMs());
    if (rules.view === before) return;
    const { version, objects, refused } = rules.view;
    if (isTaken) runtime.log('info', 'the rules of the mesh have changed', { version, objects });
    else
      runtime.log('warn', 'the rules of the mesh are refused; those of before stay in force', {
        version,
        findings: refused?.findings.filter(({ severity }) => severity === 'error').map(lineOf),
      });
  };
  return {
    name: 'mesh',
    start: async () => {
      await look();
      const { refused } = rules.view;
      if (refused !== undefined) throw badRules(refused.findings);
      stopWatching = watch(() => {
        look().catch((thrown: unknown) =>
          runtime.log('warn', 'the rules of the mesh cannot be read', { message: String(thrown) }),
        );
      });
    },
    drain: async () => {
      stopWatching();
      close();
    },
    stop: async () => {
      stopWatching();
      close();
    },
  };
}

type Findings = NonNullable<MeshRules['view']['refused']>['findings'];

function lineOf({ file, line, code, message }: Findings[number]): string {
  return `${file}:${line}: ${code}: ${message}`;
}

function badRules(findings: Findings): HeddleError {
  const errors = findings.filter(({ severity }) => severity === 'error').map(lineOf);
  const message = `the rules of the mesh have ${errors.length === 1 ? 'an error' : `${errors.length} errors`}:\n${errors.join('\n')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_RULES', message, sent: false });
}
