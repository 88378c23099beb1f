import {
  isAddressBlock,
  isCondition,
  isPathTemplate,
  pathTemplateProblem,
} from '../../authorization/index.ts';
import type { AuthorizationOperation, AuthorizationRule, Path, ResourceOf } from '../../resources/index.ts';
import type { Check, Tell } from '../check.ts';
import type { Inventory } from '../inventory.ts';
import { overlap } from './host-overlap.ts';

type Policy = ResourceOf<'AuthorizationPolicy'>;

/** What AuthorizationPolicies say by themselves: rules that let in or lock out more than they look like. */
export const authorizationRules: Check = (inventory, tell) => {
  for (const policy of inventory.of('AuthorizationPolicy')) {
    const { rules = [] } = policy.spec;
    checkAction(policy, tell);
    checkAlternatives(policy, rules, tell);
    for (const [index, rule] of rules.entries()) {
      const at: Path = ['spec', 'rules', index];
      checkConditions(policy, rule, at, tell);
      for (const [number, { source = {} }] of (rule.from ?? []).entries()) {
        checkContradiction(policy, source as Fields, [...at, 'from', number, 'source'], tell);
        checkAddresses(policy, source as Fields, [...at, 'from', number, 'source'], tell);
      }
      for (const [number, { operation = {} }] of (rule.to ?? []).entries()) {
        const place: Path = [...at, 'to', number, 'operation'];
        checkContradiction(policy, operation as Fields, place, tell);
        checkOperation(policy, operation, place, inventory, tell);
      }
    }
  }
};

type Fields = Readonly<Record<string, readonly string[] | undefined>>;

function checkAction(policy: Policy, tell: Tell): void {
  const { action = 'ALLOW', provider, rules = [] } = policy.spec;
  const named = provider?.name !== undefined && provider.name !== '';
  if ((action === 'CUSTOM') !== named) {
    const message = named ? `${action} has a provider` : 'CUSTOM has no provider';
    tell('PROVIDER_MISPLACED', policy, ['spec', named ? 'provider' : 'action'], message);
  }
  if (rules.length === 0 && action !== 'ALLOW') {
    tell('POLICY_WITHOUT_EFFECT', policy, ['spec'], `${action} without rules never matches`);
  }
  if (rules.length === 0 && action === 'ALLOW') {
    tell('LOCKS_EVERYONE_OUT', policy, ['spec'], 'ALLOW without rules allows nothing');
  }
  const all = action === 'DENY' ? rules.findIndex((rule) => Object.values(rule).flat().length === 0) : -1;
  if (all >= 0) tell('LOCKS_EVERYONE_OUT', policy, ['spec', 'rules', all], 'this rule denies every request');
}

/** Rules with one part each, different ones: they look like one rule that was written as a list. */
function checkAlternatives(policy: Policy, rules: readonly AuthorizationRule[], tell: Tell): void {
  const only = rules.map((rule) => {
    const parts = (['from', 'to', 'when'] as const).filter((part) => (rule[part] ?? []).length > 0);
    return parts.length === 1 ? parts[0] : undefined;
  });
  const kinds = new Set(only.filter((part) => part !== undefined));
  if (kinds.size < 2) return;
  for (const [index, part] of only.entries()) {
    if (part === undefined) continue;
    const message = `this rule has only ${part}: it matches whatever the rules beside it say`;
    tell('RULES_ARE_ALTERNATIVES', policy, ['spec', 'rules', index], message);
  }
}

function checkConditions(policy: Policy, { when = [] }: AuthorizationRule, at: Path, tell: Tell): void {
  for (const [index, { key, values = [], notValues = [] }] of when.entries()) {
    const path: Path = [...at, 'when', index];
    if (!isCondition(key))
      tell('UNKNOWN_CONDITION', policy, [...path, 'key'], `there is no attribute "${key}"`);
    if (values.length + notValues.length === 0) {
      tell('CONDITION_WITHOUT_VALUES', policy, path, `"${key}" has neither values nor notValues`);
    }
    if (notValues.includes('') && values.length === 0) {
      const message = `every request without ${key} matches, and every one with a value`;
      tell('NOT_EMPTY_MATCHES_ALL', policy, [...path, 'notValues'], message);
    }
    checkContradiction(policy, { values, notValues }, path, tell);
    if (key.endsWith('.ip')) checkBlocks(policy, [...values, ...notValues], path, tell);
  }
}

/** Each value that is wanted is unwanted too. */
function checkContradiction(policy: Policy, fields: Fields, at: Path, tell: Tell): void {
  for (const [name, values = []] of Object.entries(fields)) {
    const unwanted = fields[`not${name.charAt(0).toUpperCase()}${name.slice(1)}`] ?? [];
    const none =
      values.length > 0 && values.every((value) => unwanted.includes(value) || unwanted.includes('*'));
    if (none)
      tell('NEVER_MATCHES', policy, [...at, name], `all of ${values.join(', ')} are excluded beside it`);
  }
}

function checkAddresses(policy: Policy, source: Fields, at: Path, tell: Tell): void {
  for (const field of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks']) {
    checkBlocks(policy, source[field] ?? [], [...at, field], tell);
  }
}

function checkBlocks(policy: Policy, blocks: readonly string[], at: Path, tell: Tell): void {
  for (const block of blocks) {
    if (!isAddressBlock(block)) tell('INVALID_ADDRESS', policy, at, `"${block}" is no address and no block`);
  }
}

const httpMethod = /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|\*)$/;
const grpcName = /^\/[\w.]+\/\w+$/;

function checkOperation(
  policy: Policy,
  operation: AuthorizationOperation,
  at: Path,
  inventory: Inventory,
  tell: Tell,
): void {
  const each = (
    fields: readonly (keyof AuthorizationOperation)[],
    look: (value: string, path: Path) => void,
  ): void => {
    for (const field of fields) {
      for (const [index, value] of (operation[field] ?? []).entries()) look(value, [...at, field, index]);
    }
  };
  each(['methods', 'notMethods'], (method, path) => {
    const pattern = method.length > 1 && (method.startsWith('*') || method.endsWith('*'));
    if (httpMethod.test(method) || grpcName.test(method) || pattern) return;
    tell('METHOD_NOT_VALID', policy, path, `"${method}" is no method of HTTP and no full name of gRPC`);
  });
  each(['paths', 'notPaths'], (pattern, path) => {
    const problem = isPathTemplate(pattern) ? pathTemplateProblem(pattern) : undefined;
    if (problem !== undefined) tell('INVALID_PATH_TEMPLATE', policy, path, `${pattern}: ${problem}`);
  });
  each(['ports', 'notPorts'], (port, path) => {
    const number = /^\d{1,5}$/.test(port) ? Number(port) : 0;
    if (number < 1 || number > 65_535) tell('INVALID_PORT', policy, path, `"${port}" is no port`);
  });
  each(['hosts', 'notHosts'], (host, path) => {
    if (isKnownHost(host, policy.metadata.namespace, inventory)) return;
    tell('POLICY_HOST_NOT_FOUND', policy, path, `nothing is called "${host}"`);
  });
  checkTcp(policy, operation, at, inventory, tell);
}

function isKnownHost(written: string, namespace: string, inventory: Inventory): boolean {
  const host = written.replace(/:(?:\d+|\*)$/, '');
  if (host.includes('*')) return true;
  if (inventory.directory.find(host, namespace) !== undefined) return true;
  const gateways = inventory
    .of('Gateway')
    .flatMap(({ spec }) => (spec.servers ?? []).flatMap(({ hosts }) => hosts));
  const listeners = inventory
    .of('KubernetesGateway')
    .flatMap(({ spec }) => spec.listeners.map(({ hostname = '' }) => hostname));
  return [...gateways, ...listeners]
    .map((each) => each.slice(each.indexOf('/') + 1))
    .some((served) => served !== '*' && served !== '' && overlap(served, host));
}

/** Ports that are not HTTP, named beside what only HTTP has. */
function checkTcp(
  policy: Policy,
  { ports = [], methods, paths, hosts, notMethods, notPaths, notHosts }: AuthorizationOperation,
  at: Path,
  inventory: Inventory,
  tell: Tell,
): void {
  if ([methods, paths, hosts, notMethods, notPaths, notHosts].every((field) => field === undefined)) return;
  const services = inventory.directory.services.filter(
    ({ namespace }) => namespace === policy.metadata.namespace,
  );
  for (const [index, port] of ports.entries()) {
    const speaking = services.flatMap((each) =>
      each.ports.filter(
        ({ target, number }) => (typeof target === 'number' ? target : number) === Number(port),
      ),
    );
    if (speaking.length === 0 || speaking.some(({ protocol }) => protocol !== 'tcp')) continue;
    tell('HTTP_ON_TCP_PORT', policy, [...at, 'ports', index], `port ${port} is not HTTP`);
  }
}
