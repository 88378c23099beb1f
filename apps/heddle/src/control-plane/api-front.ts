import { type CatalogueEntry, contractChanges, docsPage, type Json, searchCatalogue } from '@heddle/api';
import type { EmbeddedRegistry } from '@heddle/discovery/embedded';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { jsonAnswer } from '@heddle/proxy';
import { isBearer } from '@heddle/upstream';
import {
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  statusOfCode,
  wholeBody,
} from '@heddle/wire';
import { tried, type TrialOutput } from '../api/try-operation.ts';
import type { ApiCatalogue } from './api-catalogue.ts';

/** Lets in what is held for a contract of a service, wherever it is registered. */
export type Release = (service: string, hash: string) => Promise<void>;

/** What the catalogue's API works on. */
export interface ApiFrontOptions {
  readonly runtime: Runtime;
  readonly registry: EmbeddedRegistry;
  readonly catalogue: ApiCatalogue;
  readonly release: Release;
  /** Of the registry: who approves and tries must show it, also who is signed in to the console. */
  readonly token: string;
}

interface Exchange extends ApiFrontOptions {
  readonly request: HttpRequest;
  readonly query: URLSearchParams;
  readonly service: string;
}

type Answer = (exchange: Exchange) => Promise<HttpResponse> | HttpResponse;

const longestBodyBytes = 4 * 1024 * 1024;
const root = '/api/catalogue';

const routes: readonly (readonly [method: string, path: RegExp, answer: Answer])[] = [
  ['GET', /^$/, ({ catalogue }) => jsonAnswer(200, { services: catalogue.entries.map(summary) })],
  ['GET', /^\/-\/search$/, found],
  ['GET', /^\/-\/quarantine$/, quarantine],
  ['GET', /^\/([^/]+)$/, (exchange) => jsonAnswer(200, shown(entryOf(exchange)))],
  ['GET', /^\/([^/]+)\/contract$/, (exchange) => jsonAnswer(200, versionOf(exchange, 'version').contract)],
  ['GET', /^\/([^/]+)\/docs$/, docs],
  ['GET', /^\/([^/]+)\/diff$/, diff],
  ['POST', /^\/([^/]+)\/approve$/, approve],
  ['POST', /^\/([^/]+)\/try$/, attempt],
];

/** Whether a request is for the catalogue. */
export function isApiRequest({ path }: HttpRequest): boolean {
  return /^\/api\/catalogue(?:[/?]|$)/.test(path);
}

/**
 * The catalogue over HTTP, behind the console's sign-in: services, search, one service, its contract of a version, a
 * page, differences; with the token alone, `POST …/approve` and `POST …/try`, since no page of another site has it.
 */
export function apiFront(options: ApiFrontOptions): HttpService {
  return async (request) => {
    try {
      const [path = '', query = ''] = request.path.split('?', 2);
      for (const [method, pattern, answer] of routes) {
        const match = method === request.method ? pattern.exec(path.slice(root.length)) : null;
        if (match === null) continue;
        if (method === 'POST') mayChange(request, options.token);
        const service = decodeURIComponent(match[1] ?? '');
        return await answer({ ...options, request, query: new URLSearchParams(query), service });
      }
      throw new HeddleError({
        code: 'not_found',
        reason: 'NO_SUCH_PATH',
        message: `nothing is at ${path.slice(0, 200)}`,
      });
    } catch (thrown) {
      request.body.cancel();
      const { code, reason, message } = HeddleError.from(thrown);
      return jsonAnswer(statusOfCode(code), { code, reason, message });
    }
  };
}

function mayChange({ fields }: HttpRequest, token: string): void {
  if (isBearer(fields.get('authorization') ?? '', token)) return;
  const message = 'this needs the token of the registry, as authorization: Bearer …';
  throw new HeddleError({ code: 'unauthenticated', reason: 'BAD_TOKEN', message });
}

function summary({ service, versions, quarantined }: CatalogueEntry): object {
  const newest = versions.at(-1);
  const { openapi, asyncapi, descriptors } = newest?.contract ?? {};
  return {
    service,
    version: newest?.number ?? 0,
    kinds: [openapi && 'http', descriptors && 'grpc', asyncapi && 'messages'].filter(Boolean),
    operations: searchCatalogue([{ service, versions, quarantined }], '').length,
    quarantined: quarantined.length,
  };
}

/** Without the contracts, which may be long. */
function shown({ service, versions, quarantined }: CatalogueEntry): object {
  return {
    service,
    operations: searchCatalogue([{ service, versions, quarantined }], ''),
    versions: versions.map(({ contract: _, ...rest }) => rest),
    quarantined: quarantined.map(({ contract: _, ...rest }) => rest),
  };
}

function found({ catalogue, query }: Exchange): HttpResponse {
  return jsonAnswer(200, { operations: searchCatalogue(catalogue.entries, query.get('q') ?? '') });
}

function quarantine({ catalogue }: Exchange): HttpResponse {
  const records = catalogue.entries.flatMap(({ service, quarantined }) =>
    quarantined.map(({ contract: _, ...record }) => ({ service, ...record })),
  );
  return jsonAnswer(200, { records });
}

async function docs(exchange: Exchange): Promise<HttpResponse> {
  const { registry, service } = exchange;
  const { instances } = await registry.instances(service);
  const [first] = instances;
  const base = first === undefined ? 'http://localhost' : `http://${first.address}:${first.port}`;
  const fields = Fields.of({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    'x-content-type-options': 'nosniff',
  });
  return {
    status: 200,
    fields,
    body: wholeBody(new TextEncoder().encode(docsPage(entryOf(exchange), base))),
  };
}

function diff(exchange: Exchange): HttpResponse {
  const [from, to] = [versionOf(exchange, 'from', 1), versionOf(exchange, 'to')];
  const changes = contractChanges(from.contract, to.contract);
  return jsonAnswer(200, { from: from.number, to: to.number, changes });
}

async function approve(exchange: Exchange): Promise<HttpResponse> {
  const { catalogue, release, service } = exchange;
  const { hash, by } = await bodyOf(exchange);
  if (typeof hash !== 'string' || typeof by !== 'string' || by === '')
    throw badBody('expected "hash" and "by", who approves');
  const entry = await catalogue.approve(service, hash, by);
  await release(service, hash);
  return jsonAnswer(200, summary(entry));
}

async function attempt(exchange: Exchange): Promise<HttpResponse> {
  const { runtime, registry, service } = exchange;
  const { operation, parameters = {}, inputs = [], headers = {} } = await bodyOf(exchange);
  if (typeof operation !== 'string' || !Array.isArray(inputs))
    throw badBody('expected "operation", and a list of "inputs"');
  const { contract } = versionOf(exchange, 'version');
  const trial = {
    operation,
    parameters: parameters as Record<string, string>,
    inputs: inputs as Json[],
    headers: headers as Record<string, string>,
    timeoutMs: 10_000,
  };
  const outputs: TrialOutput[] = [];
  for await (const output of tried(contract, trial, { runtime, registry, target: `discovery:///${service}` }))
    outputs.push(output);
  return jsonAnswer(200, { outputs });
}

async function bodyOf({ request }: Exchange): Promise<Readonly<Record<string, unknown>>> {
  const text = new TextDecoder().decode(await request.body.bytes(longestBodyBytes));
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw badBody('expected a JSON object');
}

function entryOf({ catalogue, service }: Exchange): CatalogueEntry {
  const entry = catalogue.entry(service);
  if (entry !== undefined) return entry;
  const known = catalogue.entries.map((one) => one.service).join(', ');
  const message = `the catalogue has no contract of "${service}"; it has those of ${known || 'nobody'}`;
  throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_SERVICE', message, sent: false });
}

/** The version that a parameter names; by default the newest, or the one `back` before it. */
function versionOf(exchange: Exchange, name: string, back = 0): CatalogueEntry['versions'][number] {
  const { versions, service } = entryOf(exchange);
  const wanted = exchange.query.get(name);
  const version =
    wanted === null
      ? (versions.at(-1 - back) ?? versions[0])
      : versions.find(({ number }) => String(number) === wanted);
  if (version !== undefined) return version;
  const message = `${service} has no version ${wanted ?? ''}; it has ${versions.map(({ number }) => number).join(', ')}`;
  throw new HeddleError({ code: 'not_found', reason: 'NO_SUCH_VERSION', message, sent: false });
}

function badBody(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message, sent: false });
}
