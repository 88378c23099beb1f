import type { ClientTls, Path, ResourceOf, Subset } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory } from '../inventory.ts';

/** DestinationRules: hosts, subsets, TLS without verification, two for one host. */
export const destinationRules: Check = (inventory, tell) => {
  for (const rule of inventory.of('DestinationRule')) {
    checkHost(rule, inventory, tell);
    for (const [index, subset] of (rule.spec.subsets ?? []).entries()) {
      checkSubset(rule, subset, ['spec', 'subsets', index], inventory, tell);
    }
    checkVerification(rule, tell);
  }
  checkDuplicates(inventory, tell);
};

function checkHost(rule: ResourceOf<'DestinationRule'>, inventory: Inventory, tell: Tell): void {
  const { host } = rule.spec;
  if (host.startsWith('*') || host === '') return;
  if (inventory.directory.find(host, rule.metadata.namespace) !== undefined) return;
  tell('DESTINATION_RULE_HOST_NOT_FOUND', rule, ['spec', 'host'], `there is no host "${host}"`);
}

function checkSubset(
  rule: ResourceOf<'DestinationRule'>,
  { name, labels = {} }: Subset,
  path: Path,
  inventory: Inventory,
  tell: Tell,
): void {
  if (Object.keys(labels).length === 0) {
    tell('SUBSET_WITHOUT_LABELS', rule, path, `the subset "${name}" has no labels`);
    return;
  }
  if (rule.spec.host.startsWith('*')) return;
  const service = inventory.directory.find(rule.spec.host, rule.metadata.namespace);
  const own = (service?.entry?.spec.endpoints ?? []).map((each) => each.labels ?? {});
  // Where an instance runs is told by its node, whose labels nobody has written here.
  const wanted = Object.entries(labels).filter(([key, value]) => !nodeLabels.has(key) || value === '');
  const has = (of: Readonly<Record<string, string>>): boolean =>
    wanted.every(([key, value]) => of[key] === value);
  const selected =
    service?.selector === undefined ? [] : inventory.selected(service.selector, service.namespace);
  if (own.some(has) || selected.some((each) => has(each.labels))) return;
  const text = wanted.map(([key, value]) => `${key}: ${value}`).join(', ');
  tell('SUBSET_SELECTS_NOTHING', rule, [...path, 'labels'], `no workload of "${rule.spec.host}" has ${text}`);
}

const nodeLabels: ReadonlySet<string> = new Set([
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.istio.io/subzone',
]);

function checkVerification(rule: ResourceOf<'DestinationRule'>, tell: Tell): void {
  const { trafficPolicy } = rule.spec;
  const at: Path = ['spec', 'trafficPolicy'];
  const unverified = (tls: ClientTls | undefined): boolean =>
    (tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL') &&
    (tls.caCertificates ?? '') === '' &&
    // A secret is had by the workloads that a selector names, and by gateways; all others pass it over.
    ((tls.credentialName ?? '') === '' || rule.spec.workloadSelector === undefined);
  if (unverified(trafficPolicy?.tls)) {
    tell('TLS_NOT_VERIFIED', rule, [...at, 'tls'], `TLS to "${rule.spec.host}" names no authority`);
  }
  for (const [index, { port, tls }] of (trafficPolicy?.portLevelSettings ?? []).entries()) {
    if (!unverified(tls)) continue;
    const message = `TLS to port ${port?.number ?? '?'} of "${rule.spec.host}" names no authority`;
    tell('PORT_TLS_NOT_VERIFIED', rule, [...at, 'portLevelSettings', index, 'tls'], message);
  }
}

/** Two rules of a namespace for one host: their subsets are joined, unless they name one alike. */
function checkDuplicates(inventory: Inventory, tell: Tell): void {
  const byHost = new Map<string, ResourceOf<'DestinationRule'>[]>();
  for (const rule of inventory.of('DestinationRule')) {
    const { metadata, spec } = rule;
    const selector = JSON.stringify(spec.workloadSelector ?? {});
    const key = `${metadata.namespace} ${inventory.directory.fullName(spec.host, metadata.namespace)} ${selector}`;
    byHost.set(key, [...(byHost.get(key) ?? []), rule]);
  }
  for (const rules of byHost.values()) {
    for (const rule of rules) {
      const twins = rules.filter((other) => other !== rule && collide(rule, other));
      if (twins.length === 0) continue;
      const names = twins.map(({ metadata }) => metadata.name).join(', ');
      tell(
        'DESTINATION_RULE_DUPLICATE',
        rule,
        ['spec', 'host'],
        `"${rule.spec.host}" is the host of ${names} too`,
      );
    }
  }
}

function collide(a: ResourceOf<'DestinationRule'>, b: ResourceOf<'DestinationRule'>): boolean {
  const [one, other] = [a.spec.subsets ?? [], b.spec.subsets ?? []];
  // A rule without subsets is about all of the host, and so are two traffic policies.
  if (one.length === 0 || other.length === 0) return true;
  if (a.spec.trafficPolicy !== undefined && b.spec.trafficPolicy !== undefined) return true;
  return one.some(({ name }) => other.some((each) => each.name === name));
}
