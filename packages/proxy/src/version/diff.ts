import type { GatewayConfig } from '../model/gateway-config.ts';
import type { RouteConfig } from '../model/route.ts';

/** One value that differs between two configurations. */
export interface Change {
  /** `limits.maxRequests`, `routes["/orders"].timeoutMs`. */
  readonly at: string;
  /** Undefined: it was not there. */
  readonly from: unknown;
  /** Undefined: it is not there any more. */
  readonly to: unknown;
}

/** Everything that differs, in the order of the newer one, then what is gone. What proves an identity is not shown. */
export function diffConfigs(older: GatewayConfig, newer: GatewayConfig): Change[] {
  const before = leavesOf(older);
  const after = leavesOf(newer);
  const changes: Change[] = [];
  for (const [at, to] of after) if (before.get(at) !== to) changes.push(change(at, before.get(at), to));
  for (const [at, from] of before) if (!after.has(at)) changes.push(change(at, from, undefined));
  return changes;
}

/** The configuration as it may be shown to operators: without hashes of keys and passwords. */
export function shownConfig(config: GatewayConfig): unknown {
  return JSON.parse(JSON.stringify(config, (key, value: unknown) => (isSecret(key) ? '…' : value)));
}

/** What differs in a secret is not told, only that it does. */
function change(at: string, from: unknown, to: unknown): Change {
  const hidden = isSecret(at.slice(at.lastIndexOf('.') + 1));
  const shown = (value: unknown): unknown => (hidden && value !== undefined ? '…' : value);
  return { at, from: shown(from), to: shown(to) };
}

function isSecret(key: string): boolean {
  return key === 'sha256' || key === 'hash' || key === 'privateKey';
}

/** Every single value by its place. Routes go by their names, so that one more in front does not change all others. */
function leavesOf(config: GatewayConfig): Map<string, unknown> {
  const { routes, quarantined, ...others } = config;
  const leaves = new Map<string, unknown>();
  gather(others, '', leaves);
  const seen = new Map<string, number>();
  for (const route of routes) gather(route, `routes[${JSON.stringify(nameOf(route, seen))}]`, leaves);
  for (const { at, source, problems } of quarantined)
    leaves.set(`quarantined[${source} ${at}]`, problems.map(({ message }) => message).join('; '));
  return leaves;
}

function nameOf({ name }: RouteConfig, seen: Map<string, number>): string {
  const count = (seen.get(name) ?? 0) + 1;
  seen.set(name, count);
  return count === 1 ? name : `${name} #${count}`;
}

function gather(value: unknown, at: string, into: Map<string, unknown>): void {
  if (typeof value !== 'object' || value === null) {
    if (value !== undefined) into.set(at, value);
    return;
  }
  const dot = at === '' ? '' : '.';
  for (const [key, item] of Object.entries(value))
    gather(item, Array.isArray(value) ? `${at}[${key}]` : `${at}${dot}${key}`, into);
}
