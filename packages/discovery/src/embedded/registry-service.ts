import { HeddleError } from '@heddle/kernel';
import {
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  statusOfCode,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import { type Health, healthValues } from '../registry/instance.ts';
import type { Position } from '../registry/snapshot.ts';
import { badInstance, checkServiceName, readInstance } from '../registry/validate-instance.ts';
import {
  decodeJson,
  encodeError,
  encodeJson,
  longestBodyBytes,
  membersOf,
  type ServicesAnswer,
} from '../remote/protocol.ts';
import { bearerCheck } from './bearer-check.ts';
import type { EmbeddedRegistry } from './embedded-registry.ts';
import { watchLines } from './watch-lines.ts';

/** How a registry is served. */
export interface RegistryServiceOptions {
  /** A secret that every request must carry. Default: none is asked for. */
  readonly token?: string;
  /** Watches at a time; one more is refused with `TOO_MANY_WATCHES`. Default 10000. */
  readonly maxWatches?: number;
}

/**
 * Lets other processes use an embedded registry over HTTP (see `protocol.ts`), as `remoteRegistry` does.
 * Watches end when the registry is closed: close it before its server drains.
 */
export function registryService(
  registry: EmbeddedRegistry,
  options: RegistryServiceOptions = {},
): HttpService {
  const { maxWatches = 10_000 } = options;
  const check = bearerCheck(options.token);
  return async (request, call) => {
    try {
      check(request.fields.get('authorization'));
      if (registry.closed) throw closing();
      const exchange: Exchange = { registry, request, call, maxWatches };
      const { handler, parameters } = route(request);
      return await handler(exchange, ...parameters);
    } catch (thrown) {
      return failed(HeddleError.from(thrown));
    }
  };
}

interface Exchange {
  readonly registry: EmbeddedRegistry;
  readonly request: HttpRequest;
  readonly call: Parameters<HttpService>[1];
  readonly maxWatches: number;
}

type Handler = (exchange: Exchange, service: string, id: string) => Promise<HttpResponse>;

const routes: readonly (readonly [method: string, path: RegExp, handler: Handler])[] = [
  ['GET', /^\/v1\/status$/, status],
  ['GET', /^\/v1\/services$/, services],
  ['GET', /^\/v1\/services\/([^/]+)\/instances$/, instances],
  ['GET', /^\/v1\/services\/([^/]+)\/watch$/, watch],
  ['PUT', /^\/v1\/services\/([^/]+)\/instances\/([^/]+)$/, put],
  ['POST', /^\/v1\/services\/([^/]+)\/instances\/([^/]+)\/renew$/, renew],
  ['DELETE', /^\/v1\/services\/([^/]+)\/instances\/([^/]+)$/, remove],
];

function route(request: HttpRequest): { handler: Handler; parameters: [service: string, id: string] } {
  const [path = ''] = request.path.split('?', 1);
  for (const [method, pattern, handler] of routes) {
    const match = method === request.method ? pattern.exec(path) : null;
    if (match === null) continue;
    const [, service, id = ''] = match;
    if (service !== undefined) checkServiceName(decodeURIComponentOr(service, ''));
    return { handler, parameters: [service ?? '', decodeURIComponentOr(id, '')] };
  }
  const message = `expected a path of the registry's protocol such as GET /v1/services, found ${request.method} ${path}`;
  throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_PATH', message });
}

async function status({ registry }: Exchange): Promise<HttpResponse> {
  return answer({ ...registry.store.status, maxBodyBytes: longestBodyBytes });
}

async function services({ registry }: Exchange): Promise<HttpResponse> {
  const list: ServicesAnswer = { ...registry.store.position, services: registry.store.services() };
  return answer(list);
}

async function instances({ registry }: Exchange, service: string): Promise<HttpResponse> {
  const snapshot = registry.store.freshSnapshot(service);
  return answer({ kind: 'snapshot', ...registry.store.position, instances: snapshot.instances });
}

async function watch(
  { registry, request, call, maxWatches }: Exchange,
  service: string,
): Promise<HttpResponse> {
  if (registry.store.changed.count >= maxWatches) throw tooManyWatches(maxWatches);
  let release = (): void => {};
  const lines = watchLines(registry.store, service, positionIn(request), call.runtime, () => release());
  release = registry.track(lines);
  call.onCancel(lines.end);
  const fields = Fields.of({ 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  return { status: 200, fields, body: streamBody(lines) };
}

async function put({ registry, request }: Exchange, service: string, id: string): Promise<HttpResponse> {
  const body = await readBody(request);
  const { instance, violations } = readInstance(body['instance']);
  if (instance === undefined) throw badInstance(body['instance'], violations);
  if (instance.service !== service || instance.id !== id)
    throw badBody('instance', "the path's service and id");
  const lease = leaseIn(body['lease']);
  const { ttlMs, fresh } = body;
  if (typeof ttlMs !== 'number') throw badBody('ttlMs', 'a number of milliseconds');
  if (typeof fresh !== 'boolean') throw badBody('fresh', 'true or false');
  await registry.store.put({ instance, lease, ttlMs }, fresh);
  return answer(registry.store.position);
}

async function renew({ registry, request }: Exchange, service: string, id: string): Promise<HttpResponse> {
  const body = await readBody(request);
  const health = healthIn(body['health']);
  await registry.store.renew(service, id, leaseIn(body['lease']), health);
  return answer(registry.store.position);
}

async function remove({ registry, request }: Exchange, service: string, id: string): Promise<HttpResponse> {
  const lease = queryOf(request).get('lease');
  await registry.store.remove(service, id, lease === null ? undefined : leaseIn(lease));
  return answer(registry.store.position);
}

function answer(value: object): HttpResponse {
  return { status: 200, fields: jsonFields(), body: wholeBody(encodeJson(value)) };
}

function failed(error: HeddleError): HttpResponse {
  const tooLarge = error.reason === 'BODY_TOO_LARGE';
  const fields = jsonFields();
  if (error.code === 'unauthenticated') fields.append('www-authenticate', 'Bearer');
  return { status: tooLarge ? 413 : statusOfCode(error.code), fields, body: wholeBody(encodeError(error)) };
}

function jsonFields(): Fields {
  return Fields.of({ 'content-type': 'application/json' });
}

async function readBody(request: HttpRequest): Promise<Readonly<Record<string, unknown>>> {
  return membersOf(decodeJson(await request.body.bytes(longestBodyBytes)));
}

function leaseIn(value: unknown): string {
  if (typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value)) return value;
  throw badBody('lease', '1 to 128 visible ASCII characters');
}

function healthIn(value: unknown): Health | undefined {
  if (value === undefined) return undefined;
  const known = healthValues.find((health) => health === value);
  if (known === undefined) throw badBody('health', `one of ${healthValues.join(', ')}`);
  return known;
}

function positionIn(request: HttpRequest): Position | undefined {
  const query = queryOf(request);
  const [term, revision] = [query.get('term'), query.get('revision')];
  if (term === null || revision === null) return undefined;
  const position = { term: Number(term), revision: Number(revision) };
  if (Number.isSafeInteger(position.term) && Number.isSafeInteger(position.revision)) return position;
  throw badBody('term and revision', 'two whole numbers');
}

function queryOf(request: HttpRequest): URLSearchParams {
  const question = request.path.indexOf('?');
  return new URLSearchParams(question === -1 ? '' : request.path.slice(question + 1));
}

function decodeURIComponentOr(text: string, fallback: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fallback;
  }
}

function badBody(field: string, expected: string): HeddleError {
  const message = `${field}: expected ${expected}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message });
}

function tooManyWatches(limit: number): HeddleError {
  const message = `the registry serves ${limit} watches, which is its limit; close some or raise maxWatches`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'TOO_MANY_WATCHES', message });
}

function closing(): HeddleError {
  const message = 'the registry is shutting down; it will be back, or another one is';
  return new HeddleError({ code: 'unavailable', reason: 'REGISTRY_CLOSING', message });
}
