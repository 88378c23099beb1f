import type { Registry } from '@heddle/discovery';
import { bearerCheck } from '@heddle/discovery/clients';
import { type Call, HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { ModelFeed } from '@heddle/mesh/plane';
import { AggregatedDiscoveryService, WorkloadSecrets, XdsServer } from '@heddle/mesh/xds';
import { ask } from '@heddle/proxy';
import { metadata, rpcService } from '@heddle/rpc';
import { BootstrapTokens, CertificateService, type SpiffeId, spiffeUri } from '@heddle/security/identity';
import type { HttpRequest, HttpService } from '@heddle/wire';
import { MeshRules, type RulesScope } from './mesh-rules.ts';
import { meshApi, type MeshApiOptions } from './mesh-api.ts';
import { meshAuthorityIn } from './mesh-authority.ts';
import { bootstrapKey } from './bootstrap-key.ts';
import { MeshStore } from './mesh-store.ts';
import { FetchedKeys } from './fetched-keys.ts';
import { RegistryInstances } from './registry-instances.ts';
import { type Provers, shownId } from './proven-id.ts';
import type { RuleSource } from './rule-source.ts';
import { RulesPart } from './rules-part.ts';
import { sharedAuthority } from './shared-authority.ts';

/** What the mesh's side of a control plane is made from. */
export interface MeshPlaneOptions {
  readonly runtime: Runtime;
  /** Of the registry: who shows it may see what there is. */
  readonly token: string;
  readonly scope: RulesScope;
  /** Whose instances are in the mesh beside those that the rules name. */
  readonly registry: Registry;
  readonly source: RuleSource;
  /** Who may make tokens and change rules, beside nobody; undefined: whoever has `token`. */
  readonly operatorToken: string | undefined;
  /** The keys of an authority that is shared through the source's store (see `sharedAuthority`). */
  readonly keys: string | undefined;
}

/** The mesh's side of a control plane: rules from files, xDS, certificates. */
export interface MeshPlane {
  /** In the order in which they start. */
  readonly parts: readonly Part[];
  /** What signs for the workloads of this mesh. */
  readonly certificates: CertificateService;
  /** The service for a request that is one of the mesh; undefined for others. */
  serviceFor(request: HttpRequest): HttpService | undefined;
}

/** Opens it: the authority of the mesh is kept in the data folder, or in the store that control planes share. */
export async function meshPlane(options: MeshPlaneOptions): Promise<MeshPlane> {
  const { runtime, token, scope, source } = options;
  const { trustDomain = 'cluster.local' } = scope;
  const authority =
    source instanceof MeshStore
      ? await sharedAuthority({ store: source.store, runtime, trustDomain, keys: options.keys })
      : await meshAuthorityIn(runtime, trustDomain);
  const certificates = new CertificateService({ runtime, trustDomain, authority });
  const access = accessBy(token, options.operatorToken ?? token);
  const tokens = new BootstrapTokens(bootstrapKey(options.operatorToken ?? token), runtime.clock);
  const { xds, secrets } = xdsWith(runtime, trustDomain, { certificates, tokens, source, scope });
  const feed = new ModelFeed({ runtime, trustDomain });
  const keys = new FetchedKeys({
    runtime,
    get: async (url) => textOf(url, await ask({ url }, runtime)),
    changed: () => rules.again(),
  });
  const rules: MeshRules = new MeshRules(
    scope,
    (model) => {
      keys.want(rules.keyPlaces);
      xds.update(model);
      feed.update(model);
    },
    (uri) => keys.at(uri),
  );
  const discovery = rpcService((router) => router.service(AggregatedDiscoveryService, xds.handlers));
  const close = (): void => {
    secrets.close();
    feed.close();
    xds.close();
  };
  const part = new RulesPart({ runtime, source, rules, close });
  const api = meshApi({
    rules,
    xds,
    feed,
    ...access,
    tokens,
    certificates,
    source,
    part,
    scope,
    keys,
  });
  const instances = new RegistryInstances({
    runtime,
    registry: options.registry,
    namespace: scope.namespace ?? 'default',
    changed: (changes) => rules.running(changes),
  });
  return {
    parts: [keys, part, instances],
    certificates,
    serviceFor: ({ path }) => {
      if (path.startsWith(`/${AggregatedDiscoveryService.typeName}/`)) return discovery;
      return path === '/v1/mesh' || path.startsWith('/v1/mesh/') ? api : undefined;
    },
  };
}

/** Who may look, and who may change things, which is who may look as well. */
function accessBy(token: string, operatorToken: string): Pick<MeshApiOptions, 'check' | 'checkOperator'> {
  const checkOperator = bearerCheck(operatorToken);
  const checkReader = bearerCheck(token);
  const check = (authorization: string | undefined): void => {
    try {
      checkReader(authorization);
    } catch {
      checkOperator(authorization);
    }
  };
  return { check, checkOperator };
}

/** xDS with the certificates of workloads, which go to who has proved to be that workload. */
function xdsWith(
  runtime: Runtime,
  trustDomain: string,
  provers: Provers,
): { readonly xds: XdsServer; readonly secrets: WorkloadSecrets } {
  const idOf = (workload: string): SpiffeId | undefined => {
    const known = xds.model.workloads.get(workload);
    if (known === undefined) return undefined;
    const { namespace, serviceAccount } = known;
    return { trustDomain, namespace, serviceAccount };
  };
  const secrets = new WorkloadSecrets({
    runtime,
    service: provers.certificates,
    idOf,
    onRenewed: (workload) => xds.renewSecrets(workload),
  });
  const xds: XdsServer = new XdsServer({
    runtime,
    trustDomain,
    proofOf: (call) => proofOf(call, provers),
    idOf: (each) => {
      const id = idOf(each);
      return id && spiffeUri(id);
    },
    secrets: (each) => secrets.of(each),
  });
  return { xds, secrets };
}

/** What a node says of itself is no proof: its stream shows who opens it, by certificate or token. */
async function proofOf(call: Call, provers: Provers): Promise<string> {
  const authorization = call.get(metadata)?.request.get('authorization') ?? '';
  try {
    return spiffeUri(await shownId(authorization, call, provers));
  } catch {
    return '';
  }
}

function textOf(url: string, { status, text }: { readonly status: number; readonly text: string }): string {
  if (status === 200) return text;
  const message = `${url} answered ${status}`;
  throw new HeddleError({ code: 'unavailable', reason: 'NO_KEYS', message });
}
