import type { ReadingCode } from './catalogue.ts';
import type { ResourceType } from './resource.ts';
import type { Path } from './shape.ts';

/** Hears of an old form that was read as today's. `at` is within the spec. */
export type Note = (code: ReadingCode, at: Path, message: string) => void;

type Plain = Record<string, unknown>;

/**
 * Rewrites the old and wrong forms that are around in manifests into today's, each with a note. `spec` is changed
 * in place: the caller gives a copy.
 */
export function modernise(type: ResourceType, spec: unknown, note: Note): void {
  if (!isPlain(spec)) return;
  if (type === 'DestinationRule') {
    modernisePolicies(spec, note);
  } else if (type === 'VirtualService') {
    each(spec['http'], (rule, index) => moderniseRule(rule, ['http', index], note));
  } else if (type === 'RequestAuthentication') {
    each(spec['jwtRules'], (rule, index) => rename(rule, 'jwks_uri', 'jwksUri', ['jwtRules', index], note));
  }
  if (type === 'RequestAuthentication' || type === 'AuthorizationPolicy' || type === 'Telemetry') {
    replace(spec, 'targetRef', 'targetRefs', [], note, (value) => [value]);
  }
}

function modernisePolicies(spec: Plain, note: Note): void {
  const policy = (owner: Plain, at: Path): void => {
    const found = owner['trafficPolicy'];
    if (!isPlain(found)) return;
    const place = [...at, 'trafficPolicy'];
    modernisePolicy(found, place, note);
    each(found['portLevelSettings'], (port, index) => {
      modernisePolicy(port, [...place, 'portLevelSettings', index], note);
    });
  };
  policy(spec, []);
  each(spec['subsets'], (subset, index) => policy(subset, ['subsets', index]));
}

function modernisePolicy(policy: Plain, at: Path, note: Note): void {
  moveCircuitBreaker(policy, at, note);
  const { loadBalancer, outlierDetection } = policy;
  if (isPlain(outlierDetection)) moderniseErrors(outlierDetection, [...at, 'outlierDetection'], note);
  if (!isPlain(loadBalancer)) return;
  const place = [...at, 'loadBalancer'];
  if (loadBalancer['simple'] === 'LEAST_CONN') {
    loadBalancer['simple'] = 'LEAST_REQUEST';
    note('OLD_LEAST_CONN', [...place, 'simple'], 'LEAST_CONN is read as LEAST_REQUEST');
  }
  replace(loadBalancer, 'warmupDurationSecs', 'warmup', place, note, (duration) => ({ duration }));
  const { consistentHash } = loadBalancer;
  if (!isPlain(consistentHash)) return;
  const asRing = (minimumRingSize: unknown): Plain => ({ minimumRingSize });
  replace(consistentHash, 'minimumRingSize', 'ringHash', [...place, 'consistentHash'], note, asRing);
}

/** What is written under outlierDetection itself wins over the block that Istio does not know. */
function moveCircuitBreaker(policy: Plain, at: Path, note: Note): void {
  const { circuitBreaker, outlierDetection } = policy;
  if (!isPlain(circuitBreaker)) return;
  delete policy['circuitBreaker'];
  const place = [...at, 'circuitBreaker'];
  note('OLD_CIRCUIT_BREAKER', place, 'circuitBreaker is read as outlierDetection');
  moderniseErrors(circuitBreaker, place, note);
  policy['outlierDetection'] = { ...circuitBreaker, ...(isPlain(outlierDetection) && outlierDetection) };
}

function moderniseErrors(detection: Plain, at: Path, note: Note): void {
  if (!('consecutiveErrors' in detection)) return;
  const { consecutiveErrors } = detection;
  delete detection['consecutiveErrors'];
  const replaced = 'consecutive5xxErrors' in detection || 'consecutiveGatewayErrors' in detection;
  if (!replaced) detection['consecutive5xxErrors'] = consecutiveErrors;
  note(
    'OLD_CONSECUTIVE_ERRORS',
    [...at, 'consecutiveErrors'],
    replaced
      ? 'consecutiveErrors is ignored beside the fields that took its place'
      : `consecutiveErrors: ${String(consecutiveErrors)} is ignored by Istio; it is read as consecutive5xxErrors`,
  );
}

function moderniseRule(rule: Plain, at: Path, note: Note): void {
  const asShare = (value: unknown): Plain => ({ value });
  replace(rule, 'mirrorPercent', 'mirrorPercentage', at, note, asShare);
  replace(rule, 'mirror_percent', 'mirrorPercentage', at, note, asShare);
  const { fault, corsPolicy } = rule;
  if (isPlain(fault) && isPlain(fault['delay'])) {
    replace(fault['delay'], 'percent', 'percentage', [...at, 'fault', 'delay'], note, asShare);
  }
  if (isPlain(corsPolicy)) {
    replace(corsPolicy, 'allowOrigin', 'allowOrigins', [...at, 'corsPolicy'], note, (origins) =>
      Array.isArray(origins) ? origins.map((exact: unknown) => ({ exact })) : origins,
    );
  }
}

function rename(owner: Plain, old: string, today: string, at: Path, note: Note): void {
  replace(owner, old, today, at, note, (value) => value);
}

/** The new field wins where both are written. */
function replace(
  owner: Plain,
  old: string,
  today: string,
  at: Path,
  note: Note,
  convert: (value: unknown) => unknown,
): void {
  if (!(old in owner)) return;
  const value = owner[old];
  delete owner[old];
  owner[today] ??= convert(value);
  note('OLD_FIELD', [...at, old], `${old} is deprecated and read as ${today}`);
}

function each(list: unknown, visit: (item: Plain, index: number) => void): void {
  if (!Array.isArray(list)) return;
  for (const [index, item] of list.entries()) if (isPlain(item)) visit(item, index);
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
