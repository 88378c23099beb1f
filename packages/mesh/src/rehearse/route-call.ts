import type {
  HeaderMatch,
  MeshModel,
  RouteRule,
  RuleMatch,
  ServiceListener,
  StringMatch,
  Workload,
} from '../model/index.ts';
import type { RecordedCall } from './recorded-call.ts';

/** Where a call goes: each cluster with its share in percent, or what is answered instead. */
export interface Destination {
  /** `reviews.shop.svc.cluster.local (v1) 80 %, …`, `redirect 301`, `404`, `unknown host`. */
  readonly text: string;
  /** The listener that it was for, where there is one. */
  readonly listener: ServiceListener | undefined;
}

/** Where the rules of a mesh send a call. */
export function destinationOf(call: RecordedCall, model: MeshModel): Destination {
  const listener = listenerFor(call, model);
  if (listener === undefined) return { text: 'unknown host', listener };
  const caller = model.workloads.get(call.from);
  const rule = listener.rules.find(
    ({ matches }) => matches.length === 0 || matches.some((match) => holds(match, call, caller)),
  );
  return { text: rule === undefined ? '404' : textOf(rule, model), listener };
}

function listenerFor({ host, port, from }: RecordedCall, model: MeshModel): ServiceListener | undefined {
  const [name = '', written] = host.toLowerCase().split(':');
  const wanted = port > 0 ? port : written === undefined ? undefined : Number(written);
  const namespace = from.split('/')[0] ?? '';
  const near = `${name}.${namespace}.svc.`;
  const known = (each: ServiceListener): boolean =>
    each.host === name ||
    each.aliases.includes(name) ||
    (!name.includes('.') && namespace !== '' && each.host.startsWith(near)) ||
    (each.host.startsWith('*.') && name.endsWith(each.host.slice(1)));
  return model.services.find((each) => known(each) && (wanted === undefined || each.port === wanted));
}

function holds(match: RuleMatch, call: RecordedCall, caller: Workload | undefined): boolean {
  const [path = '', query = ''] = call.path.split('?');
  const parameters = new URLSearchParams(query);
  return (
    (match.path === undefined || pathHolds(match.path, path)) &&
    (match.method === undefined || textHolds(match.method, call.method)) &&
    (match.authority === undefined || textHolds(match.authority, call.host)) &&
    (match.scheme === undefined || textHolds(match.scheme, 'http')) &&
    (match.headers ?? []).every((each) => valueHolds(each, call.headers[each.name])) &&
    (match.query ?? []).every((each) => valueHolds(each, parameters.get(each.name) ?? undefined)) &&
    (match.source === undefined || sourceHolds(match.source, call, caller))
  );
}

function pathHolds(
  { kind, value, ignoreCase = false }: NonNullable<RuleMatch['path']>,
  written: string,
): boolean {
  const path = ignoreCase ? written.toLowerCase() : written;
  const wanted = ignoreCase ? value.toLowerCase() : value;
  if (kind === 'segments') {
    const border = wanted.endsWith('/') ? wanted.slice(0, -1) : wanted;
    return path === border || path.startsWith(`${border}/`);
  }
  return textHolds({ kind, value: wanted }, path);
}

function textHolds({ kind, value }: StringMatch, text: string): boolean {
  if (kind === 'exact') return text === value;
  return kind === 'prefix' ? text.startsWith(value) : new RegExp(`^(?:${value})$`).test(text);
}

function valueHolds({ kind, value, not = false }: HeaderMatch, text: string | undefined): boolean {
  if (kind === 'present' || kind === 'absent') return (text !== undefined) === (kind === 'present');
  return text === undefined ? not : textHolds({ kind, value }, text) !== not;
}

function sourceHolds(
  { namespace, labels }: NonNullable<RuleMatch['source']>,
  { from }: RecordedCall,
  caller: Workload | undefined,
): boolean {
  const here = namespace === '' || from.startsWith(`${namespace}/`);
  return here && Object.entries(labels).every(([key, value]) => caller?.labels[key] === value);
}

function textOf({ action }: RouteRule, model: MeshModel): string {
  if (action.kind === 'redirect') return `redirect ${action.status}`;
  if (action.kind === 'respond') return `answer ${action.status}`;
  const total = action.shares.reduce((sum, { weight }) => sum + weight, 0);
  const shares = action.shares.filter(({ weight }) => weight > 0);
  if (shares.length === 0) return 'nowhere';
  return shares
    .map(({ cluster, weight }) => {
      const known = model.clusters.get(cluster);
      const name =
        known === undefined
          ? `${cluster} (missing)`
          : `${known.host}:${known.port}${known.subset === '' ? '' : ` (${known.subset})`}`;
      return shares.length === 1 ? name : `${name} ${Math.round((weight * 1000) / total) / 10} %`;
    })
    .join(', ');
}
