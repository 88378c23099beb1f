import { bearerCheck, decodeJson, encodeError, encodeJson } from '@heddle/discovery/clients';
import { type Call, HeddleError, type Runtime } from '@heddle/kernel';
import {
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  statusOfCode,
  streamBody,
  wholeBody,
} from '@heddle/wire';
import type { ConfigCentre } from '../centre/config-centre.ts';
import { type Place, placeText, readPlace } from '../place/place.ts';
import { largestPage, longestBodyBytes } from '../remote/protocol.ts';
import { PlaceHub } from './place-hub.ts';
import { readChange } from './read-change.ts';
import { jsonOf, watchLines } from './watch-lines.ts';

/** How a centre is served. */
export interface ConfigServiceOptions {
  readonly runtime: Runtime;
  readonly centre: ConfigCentre;
  /** The secret of those who read. Values that are secrets are sealed, and need a key on top. */
  readonly readToken: string;
  /** The secret of those who change. It reads too. */
  readonly writeToken: string;
  /** Watches at a time; one more is refused with `TOO_MANY_WATCHES`. Default 10000. */
  readonly maxWatches?: number;
}

/** A centre as a service under `/v1/config` (see `protocol.ts`), and what ends its watches before its server drains. */
export interface ConfigService {
  readonly service: HttpService;
  readonly close: () => void;
}

/** Serves a centre to other processes, as `remoteStore` uses it. */
export function configService(options: ConfigServiceOptions): ConfigService {
  const { runtime, centre, maxWatches = 10_000 } = options;
  const hub = new PlaceHub(runtime, centre.store);
  const mayRead = bearerCheck(options.readToken);
  const mayWrite = bearerCheck(options.writeToken);
  const service: HttpService = async (request, call) => {
    try {
      const authorization = request.fields.get('authorization');
      if (request.method === 'POST') mayWrite(authorization);
      else mayEither(authorization, mayRead, mayWrite);
      return await answer({ centre, hub, maxWatches }, request, call);
    } catch (thrown) {
      return failed(HeddleError.from(thrown));
    }
  };
  return { service, close: () => hub.close(closing()) };
}

interface Served {
  readonly centre: ConfigCentre;
  readonly hub: PlaceHub;
  readonly maxWatches: number;
}

async function answer(served: Served, request: HttpRequest, call: Call): Promise<HttpResponse> {
  const { centre, hub, maxWatches } = served;
  const [path = '', query = ''] = request.path.split('?', 2);
  const parameters = new URLSearchParams(query);
  if (request.method === 'GET' && path === '/v1/config')
    return json({ places: (await centre.store.places()).map(placeText) });
  const [, text = '', what = ''] =
    /^\/v1\/config\/([^/]+\/[^/]+\/[^/]+)(?:\/(versions|watch))?$/.exec(path) ?? [];
  if (text === '') throw noSuchPath(request.method, path);
  const place = readPlace(text);
  if (request.method === 'POST' && what === '') return changed(centre, place, request);
  if (request.method !== 'GET') throw noSuchPath(request.method, path);
  if (what === '') {
    const head = await centre.store.head(place);
    return json({ version: head === undefined ? null : jsonOf(head) });
  }
  const after = numberIn(parameters, 'after', 0, Number.MAX_SAFE_INTEGER);
  if (what === 'versions') {
    const versions = await centre.store.read(
      place,
      after,
      Math.max(1, numberIn(parameters, 'limit', largestPage, largestPage)),
    );
    return json({ versions: versions.map(jsonOf) });
  }
  if (hub.watches >= maxWatches) throw tooManyWatches(maxWatches);
  const fields = Fields.of({ 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  return { status: 200, fields, body: streamBody(watchLines(hub, place, after, call)) };
}

async function changed(centre: ConfigCentre, place: Place, request: HttpRequest): Promise<HttpResponse> {
  const { change, words, dryRun } = await readChange(
    decodeJson(await request.body.bytes(longestBodyBytes)),
    centre,
    place,
  );
  if (!dryRun) return json({ version: jsonOf(await centre.change(place, change, words)) });
  const plan = await centre.plan(place, change, words);
  return json({ ...plan, version: jsonOf(plan.version) });
}

function mayEither(
  authorization: string | undefined,
  mayRead: (authorization: string | undefined) => void,
  mayWrite: (authorization: string | undefined) => void,
): void {
  try {
    mayRead(authorization);
  } catch {
    mayWrite(authorization);
  }
}

function numberIn(parameters: URLSearchParams, name: string, fallback: number, most: number): number {
  const text = parameters.get(name);
  if (text === null) return fallback;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (number >= 0 && number <= most) return number;
  const message = `${name}: expected a whole number from 0 to ${most}, found "${text.slice(0, 40)}"`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message });
}

function json(value: unknown): HttpResponse {
  return { status: 200, fields: jsonFields(), body: wholeBody(encodeJson(value)) };
}

function failed(error: HeddleError): HttpResponse {
  const fields = jsonFields();
  if (error.code === 'unauthenticated') fields.append('www-authenticate', 'Bearer');
  const status = error.reason === 'BODY_TOO_LARGE' ? 413 : statusOfCode(error.code);
  return { status, fields, body: wholeBody(encodeError(error)) };
}

function jsonFields(): Fields {
  return Fields.of({ 'content-type': 'application/json', 'cache-control': 'no-store' });
}

function noSuchPath(method: string, path: string): HeddleError {
  const message = `expected a path of the config centre such as GET /v1/config/prod/shop/order, found ${method} ${path.slice(0, 200)}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SUCH_PATH', message });
}

function tooManyWatches(limit: number): HeddleError {
  const message = `the config centre serves ${limit} watches, which is its limit; close some or raise maxWatches`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'TOO_MANY_WATCHES', message });
}

function closing(): HeddleError {
  const message = 'the config centre is shutting down; it will be back, or another one is';
  return new HeddleError({ code: 'unavailable', reason: 'CENTRE_CLOSING', message });
}
