import type { JwtRule, MeshPolicy, MtlsMode, PolicyRule, PolicySource } from '../model/index.ts';
import {
  type AuthorizationOperation,
  type AuthorizationPolicySpec,
  type AuthorizationSource,
  type JwtRule as WrittenJwtRule,
  type MutualTlsMode,
  ofType,
  type Resource,
  type ResourceOf,
  type TargetRef,
  type WorkloadSelector,
} from '../resources/index.ts';

/** The workload that policies are looked for. */
export interface PolicySubject {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The Gateway of the Gateway API that it is an instance of. */
  readonly gateway?: string;
}

/** What is the same for all of a mesh. */
export interface MeshScope {
  /** The namespace whose policies are for all. Default `istio-system`. */
  readonly rootNamespace?: string;
  /** Default `cluster.local`. */
  readonly trustDomain?: string;
  /** Older names of the trust domain, whose identities still count. */
  readonly trustDomainAliases?: readonly string[];
}

const defaultRoot = 'istio-system';
const defaultDomain = 'cluster.local';

/** The AuthorizationPolicies that are about a workload: those of its namespace and of the root namespace. */
export function policiesFor(
  resources: readonly Resource[],
  subject: PolicySubject,
  scope: MeshScope = {},
): readonly MeshPolicy[] {
  return ofType(resources, 'AuthorizationPolicy')
    .filter((policy) => isAbout(policy, subject, scope))
    .map((policy) => meshPolicy(policy, scope));
}

/** The rules of the RequestAuthentications that are about a workload, all together. */
export function tokenRulesFor(
  resources: readonly Resource[],
  subject: PolicySubject,
  scope: MeshScope = {},
): readonly JwtRule[] {
  return ofType(resources, 'RequestAuthentication')
    .filter((each) => isAbout(each, subject, scope))
    .flatMap(({ spec }) => (spec.jwtRules ?? []).map(jwtRule));
}

/**
 * Whether a port of a workload takes plaintext: the narrowest PeerAuthentication that says something decides (port,
 * workload, namespace, mesh), of several at one level the oldest; nothing said is `permissive`.
 */
export function mutualTlsFor(
  resources: readonly Resource[],
  subject: PolicySubject,
  workloadPort: number,
  { rootNamespace = defaultRoot }: MeshScope = {},
): MtlsMode {
  const all = [...ofType(resources, 'PeerAuthentication')].sort(byAge);
  const here = all.filter(({ metadata }) => metadata.namespace === subject.namespace);
  const own = here.find(({ spec }) => hasLabels(spec.selector) && selects(spec.selector, subject));
  const ofNamespace = here.find(({ spec }) => !hasLabels(spec.selector));
  const ofMesh = all.find(
    ({ metadata, spec }) => metadata.namespace === rootNamespace && !hasLabels(spec.selector),
  );
  const modes: readonly (MutualTlsMode | undefined)[] = [
    own?.spec.portLevelMtls?.[String(workloadPort)]?.mode,
    own?.spec.mtls?.mode,
    ofNamespace?.spec.mtls?.mode,
    ofMesh?.spec.mtls?.mode,
  ];
  const said = modes.find((mode) => mode !== undefined && mode !== 'UNSET');
  return said === 'STRICT' ? 'strict' : said === 'DISABLE' ? 'disable' : 'permissive';
}

function byAge(a: Resource, b: Resource): number {
  const age = (resource: Resource): string => resource.metadata.creationTimestamp ?? '';
  return age(a).localeCompare(age(b)) || a.metadata.name.localeCompare(b.metadata.name);
}

function isAbout(
  { metadata, spec }: ResourceOf<'AuthorizationPolicy' | 'RequestAuthentication'>,
  subject: PolicySubject,
  { rootNamespace = defaultRoot }: MeshScope,
): boolean {
  const { targetRefs, selector } = spec;
  if (targetRefs !== undefined && targetRefs.length > 0) {
    return metadata.namespace === subject.namespace && targetRefs.some((ref) => targets(ref, subject));
  }
  const near = metadata.namespace === rootNamespace || metadata.namespace === subject.namespace;
  return near && selects(selector, subject);
}

function targets({ group = '', kind, name }: TargetRef, subject: PolicySubject): boolean {
  return group === 'gateway.networking.k8s.io' && kind === 'Gateway' && subject.gateway === name;
}

function hasLabels(selector: WorkloadSelector | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length > 0;
}

function selects(selector: WorkloadSelector | undefined, { labels }: PolicySubject): boolean {
  return Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

function meshPolicy({ metadata, spec }: ResourceOf<'AuthorizationPolicy'>, scope: MeshScope): MeshPolicy {
  const { action = 'ALLOW', provider, rules = [] } = spec;
  return {
    name: `${metadata.namespace}/${metadata.name}`,
    action: action.toLowerCase() as MeshPolicy['action'],
    ...(provider?.name !== undefined && { provider: provider.name }),
    ...(metadata.annotations['istio.io/dry-run'] === 'true' && { dryRun: true }),
    rules: rules.map((rule) => policyRule(rule, metadata.namespace, scope)),
  };
}

type WrittenRule = NonNullable<AuthorizationPolicySpec['rules']>[number];

function policyRule(
  { from = [], to = [], when = [] }: WrittenRule,
  namespace: string,
  scope: MeshScope,
): PolicyRule {
  const domains = (values: readonly string[]): readonly string[] => withAliases(values, scope);
  return {
    from: from.map(({ source = {} }) => policySource(source, namespace, domains)),
    to: to.map(({ operation = {} }) => policyOperation(operation)),
    when: when.map(({ key, values = [], notValues = [] }) =>
      key === 'source.principal'
        ? { key, values: domains(values), notValues: domains(notValues) }
        : key === 'source.serviceAccount'
          ? {
              key,
              values: values.map(inNamespace(namespace)),
              notValues: notValues.map(inNamespace(namespace)),
            }
          : { key, values, notValues },
    ),
  };
}

function policySource(
  source: AuthorizationSource,
  namespace: string,
  domains: (values: readonly string[]) => readonly string[],
): PolicySource {
  const qualified = (values: readonly string[]): readonly string[] => values.map(inNamespace(namespace));
  return {
    ...among('principals', source.principals, source.notPrincipals, domains),
    ...among('requestPrincipals', source.requestPrincipals, source.notRequestPrincipals),
    ...among('namespaces', source.namespaces, source.notNamespaces),
    ...among('serviceAccounts', source.serviceAccounts, source.notServiceAccounts, qualified),
    ...among('trustDomains', source.trustDomains, source.notTrustDomains),
    ...among('ipBlocks', source.ipBlocks, source.notIpBlocks),
    ...among('remoteIpBlocks', source.remoteIpBlocks, source.notRemoteIpBlocks),
  };
}

function policyOperation(operation: AuthorizationOperation): PolicyRule['to'][number] {
  return {
    ...among('hosts', operation.hosts, operation.notHosts),
    ...among('ports', operation.ports, operation.notPorts),
    ...among('methods', operation.methods, operation.notMethods),
    ...among('paths', operation.paths, operation.notPaths),
  };
}

/** A field that says nothing is left out: it is no condition. */
function among<const Name extends string>(
  name: Name,
  values: readonly string[] = [],
  notValues: readonly string[] = [],
  change: (values: readonly string[]) => readonly string[] = (same) => same,
): { readonly [K in Name]?: { readonly values: readonly string[]; readonly notValues: readonly string[] } } {
  if (values.length === 0 && notValues.length === 0) return {};
  return { [name]: { values: change(values), notValues: change(notValues) } } as ReturnType<
    typeof among<Name>
  >;
}

function inNamespace(namespace: string): (account: string) => string {
  return (account) => (account.includes('/') ? account : `${namespace}/${account}`);
}

/** `cluster.local` stands for the mesh's trust domain whatever its name; its older names count as well. */
function withAliases(
  principals: readonly string[],
  { trustDomain = defaultDomain, trustDomainAliases = [] }: MeshScope,
): readonly string[] {
  const own = [trustDomain, ...trustDomainAliases];
  return principals.flatMap((principal) => {
    const slash = principal.indexOf('/');
    const domain = principal.slice(0, Math.max(slash, 0));
    if (domain !== defaultDomain && !own.includes(domain)) return [principal];
    return own.map((name) => `${name}${principal.slice(slash)}`);
  });
}

function jwtRule(rule: WrittenJwtRule): JwtRule {
  const { fromHeaders = [], fromParams = [], fromCookies = [] } = rule;
  return {
    issuer: rule.issuer ?? '',
    audiences: rule.audiences ?? [],
    ...(rule.jwks !== undefined && { jwks: rule.jwks }),
    ...(rule.jwksUri !== undefined && { jwksUri: rule.jwksUri }),
    from: [
      ...fromHeaders.map(({ name, prefix = '' }) => ({ in: 'header' as const, name, prefix })),
      ...fromParams.map((name) => ({ in: 'query' as const, name, prefix: '' })),
      ...fromCookies.map((name) => ({ in: 'cookie' as const, name, prefix: '' })),
    ],
    forwardOriginalToken: rule.forwardOriginalToken ?? false,
    ...(rule.outputPayloadToHeader !== undefined && { outputPayloadToHeader: rule.outputPayloadToHeader }),
    claimsToHeaders: rule.outputClaimToHeaders ?? [],
    ...(rule.spaceDelimitedClaims !== undefined && { spaceDelimitedClaims: rule.spaceDelimitedClaims }),
  };
}
