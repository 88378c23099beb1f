import { type Call, HeddleError } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import type { AuditLog } from './audit-log.ts';
import type { Access, Who } from './auth-access.ts';
import type { Role } from './auth-users.ts';
import { failureAnswer, jsonOf } from './console-answers.ts';

/** A request to the console's API, after it was found out who asks. */
export interface Asked {
  readonly req: HttpRequest;
  readonly call: Call;
  readonly who: Who;
  /** The parts of the path that stand for something, decoded. */
  readonly at: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The JSON of the body; an empty object without one. */
  readonly body: unknown;
  /** What it was before and is now, for the audit log. */
  readonly note: (noted: { readonly before?: unknown; readonly after?: unknown }) => void;
}

/** One thing that the console can be asked. A change is in the audit log, whether it was done or refused. */
export interface ConsoleRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below `/api/console`, as in `/users/:name`. */
  readonly path: string;
  /** Who may. */
  readonly role: Role;
  /** True for a POST that changes nothing: it is sent as one for its content alone, and is in no audit log. */
  readonly asks?: boolean;
  /** Gives what is answered as JSON, or a whole answer. */
  run(asked: Asked): unknown;
}

/** Where the API begins. */
export const apiPrefix = '/api/console';
const longestBody = 1_048_576;

/** Answers the routes of the console, each to those who may. */
export class ConsoleApi {
  readonly #routes: readonly (ConsoleRoute & { readonly shape: RegExp })[];
  readonly #access: Access;
  readonly #audit: AuditLog;

  constructor(routes: readonly ConsoleRoute[], access: Access, audit: AuditLog) {
    this.#routes = routes.map((route) => ({ ...route, shape: shapeOf(route.path) }));
    this.#access = access;
    this.#audit = audit;
  }

  /** Never rejects. */
  async answer(req: HttpRequest, call: Call): Promise<HttpResponse> {
    const url = new URL(req.path, 'http://localhost');
    const path = url.pathname.slice(apiPrefix.length);
    const method = req.method === 'HEAD' ? 'GET' : req.method;
    const fitting = this.#routes.filter(({ shape }) => shape.test(path));
    const route = fitting.find((one) => one.method === method);
    try {
      if (route === undefined) {
        // Strangers do not learn what there is.
        this.#access.require({ ...req, method: 'GET' }, 'viewer');
        throw noRoute(fitting.length > 0, method, path);
      }
      if (method === 'GET') return answerOf(await this.#run(route, { req, call, url, path }));
      return await this.#change(route, { req, call, url, path });
    } catch (thrown) {
      return failureAnswer(thrown);
    }
  }

  async #run(
    route: ConsoleRoute & { readonly shape: RegExp },
    { req, call, url, path }: Parts,
    body: unknown = {},
    note: Asked['note'] = () => {},
  ): Promise<unknown> {
    const who = this.#access.require(req, route.role);
    return route.run({ req, call, who, at: partsOf(route.shape, path), query: url.searchParams, body, note });
  }

  async #change(route: ConsoleRoute & { readonly shape: RegExp }, parts: Parts): Promise<HttpResponse> {
    const { req, path } = parts;
    // What strangers ask for is not read, and not noted: they could fill the disk.
    const who = this.#access.require({ ...req, method: 'GET' }, 'viewer');
    let noted: { readonly before?: unknown; readonly after?: unknown } = {};
    let body: unknown;
    const entry = { who: who.name, role: who.role, action: `${route.method} ${route.path}`, target: path };
    try {
      this.#access.require(req, route.role);
      body = await bodyOf(req);
      if (route.asks === true) return answerOf(await this.#run(route, parts, body));
      const given = await this.#run(route, parts, body, (note) => {
        noted = note;
      });
      await this.#audit.note({ ...entry, outcome: 'ok', input: withoutSecrets(body), ...noted });
      return answerOf(given);
    } catch (thrown) {
      const { code, reason, message } = HeddleError.from(thrown);
      // That somebody has asked for what they may not is noted, whatever it was.
      if (route.asks === true && code !== 'permission_denied') throw thrown;
      await this.#audit.note({ ...entry, outcome: reason, message, input: withoutSecrets(body) });
      throw thrown;
    }
  }
}

interface Parts {
  readonly req: HttpRequest;
  readonly call: Call;
  readonly url: URL;
  readonly path: string;
}

function answerOf(given: unknown): HttpResponse {
  return isResponse(given) ? given : jsonOf(200, given);
}

function isResponse(given: unknown): given is HttpResponse {
  return (
    typeof given === 'object' && given !== null && 'status' in given && 'fields' in given && 'body' in given
  );
}

/** A form of another site cannot send this type without asking first. */
async function bodyOf(req: HttpRequest): Promise<unknown> {
  const bytes = await req.body.bytes(longestBody);
  if (bytes.byteLength === 0) return {};
  const type = req.fields.get('content-type')?.split(';', 1)[0]?.trim();
  if (type !== 'application/json')
    throw bad(`content-type: expected application/json, found ${type ?? 'none'}`);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw bad(`the content is no JSON: ${cause instanceof Error ? cause.message : ''}`);
  }
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const pairs = Object.entries(value).map(([name, one]) => {
    return [name, /password|secret|token/i.test(name) ? '(not kept)' : withoutSecrets(one)] as const;
  });
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function shapeOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:([a-zA-Z]+)/g, '(?<$1>[^/]+)')}$`);
}

function partsOf(shape: RegExp, path: string): Readonly<Record<string, string>> {
  const found = Object.entries(shape.exec(path)?.groups ?? {});
  try {
    return Object.fromEntries(found.map(([name, part]) => [name, decodeURIComponent(part)]));
  } catch {
    throw bad('the path is not well encoded');
  }
}

function bad(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_INPUT', message, sent: false });
}

function noRoute(isPath: boolean, method: string, path: string): HeddleError {
  const message = isPath ? `${path} does not take ${method}` : `there is no ${path.slice(0, 100)} here`;
  return new HeddleError({ code: 'not_found', reason: 'NO_SUCH_PATH', message, sent: false });
}
