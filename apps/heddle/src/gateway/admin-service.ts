import { HeddleError } from '@heddle/kernel';
import {
  type ConfigDocument,
  type GatewayVersions,
  jsonAnswer,
  type RouteConfig,
  shownConfig,
  shownDocuments,
  type Version,
} from '@heddle/proxy';
import { isBearer } from '@heddle/upstream';
import { type HttpRequest, type HttpResponse, type HttpService, statusOfCode } from '@heddle/wire';
import type { Engines } from './engines.ts';

/** What operators work on. */
export interface Operated {
  readonly versions: GatewayVersions;
  readonly engines: Engines;
  /** Reads the files again; for whom it is done is for the version's `why`. */
  readonly reload: (why: string) => Promise<Version>;
  /** What every request must carry as `authorization: Bearer …`. */
  readonly token: string;
  /** Which settings there are, and where each comes from. */
  readonly settings: () => object;
}

const longestDocument = 1_048_576;
type Answer = (operated: Operated, req: HttpRequest, url: URL) => Promise<HttpResponse>;

const answers: Readonly<Record<string, Answer>> = {
  'GET /config': async ({ versions }) => jsonAnswer(200, shownConfig(current(versions).config) as object),
  'POST /config': async ({ versions }, req) => {
    const content = new TextDecoder().decode(await req.body.bytes(longestDocument));
    return applied(await versions.apply([{ source: 'admin', content }], 'admin'));
  },
  'GET /versions': async ({ versions }) =>
    jsonAnswer(200, {
      current: current(versions).id,
      versions: versions.all.map(summary),
      refused: versions.refusals.map(({ atMs, why, error: { reason, message } }) => ({
        at: new Date(atMs).toISOString(),
        why,
        reason,
        message,
      })),
    }),
  'GET /diff': async ({ versions }, _req, { searchParams }) => {
    const to = numberIn(searchParams, 'to') ?? current(versions).id;
    const from = numberIn(searchParams, 'from') ?? versions.all.at(-2)?.id ?? to;
    return jsonAnswer(200, { from, to, changes: versions.diff(from, to) });
  },
  'POST /rollback': async ({ versions }, _req, { searchParams }) => {
    const id = numberIn(searchParams, 'to') ?? versions.all.at(-2)?.id;
    if (id === undefined) throw badRequest('"to" is missing: there is no version before this one');
    return applied(await versions.rollback(id));
  },
  'GET /settings': async ({ settings }) => jsonAnswer(200, settings()),
  'POST /reload': async ({ reload }) => applied(await reload('admin')),
  'GET /routes': async ({ versions }) => jsonAnswer(200, { routes: routesOf(current(versions)) }),
  'GET /upstreams': async ({ engines }) =>
    jsonAnswer(200, {
      processes: (await engines.status()).map(({ pid, upstreams }) => ({ pid, upstreams })),
    }),
  'GET /health': async ({ engines }) => {
    const processes = (await engines.status()).map(({ upstreams: _, ...others }) => others);
    const ready = processes.length > 0 && processes.every((each) => each.ready);
    return jsonAnswer(ready ? 200 : 503, { ready, processes });
  },
};

/**
 * The admin API, for those who have the token: `GET /config`, `/versions`, `/versions/<id>`, `/diff?from=&to=`,
 * `/routes`, `/settings`, `/upstreams`, `/health`, `/explain…`; `POST /reload`, `/rollback?to=<id>`, `/config` with a gateway file as
 * content. `GET /metrics` is for everybody who reaches the port.
 */
export function adminService(operated: Operated): HttpService {
  return async (req, call) => {
    const url = new URL(req.path, 'http://localhost');
    if (url.pathname === '/metrics') return operated.engines.metrics(req, call);
    if (!isBearer(req.fields.get('authorization') ?? '', operated.token))
      return jsonAnswer(401, { code: 'unauthenticated', reason: 'BAD_TOKEN' });
    if (/^\/explain(\/|$)/.test(url.pathname)) return operated.engines.explain(req, call);
    try {
      return await answerOf(req, url)(operated, req, url);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      const { code, reason, message } = error;
      return jsonAnswer(reason === 'METHOD_NOT_ALLOWED' ? 405 : statusOfCode(code), {
        code,
        reason,
        message,
      });
    }
  };
}

function answerOf({ method }: HttpRequest, { pathname }: URL): Answer {
  const found = answers[`${method} ${pathname}`];
  if (found !== undefined) return found;
  const id = method === 'GET' ? /^\/versions\/(\d{1,9})$/.exec(pathname)?.[1] : undefined;
  if (id !== undefined) {
    return async ({ versions }) => {
      const version = versions.get(Number(id));
      return jsonAnswer(200, {
        ...summary(version),
        config: shownConfig(version.config),
        documents: shownDocuments(version.documents),
      });
    };
  }
  const others = Object.keys(answers).filter((each) => each.endsWith(` ${pathname}`));
  const message = others.length > 0 ? `expected ${others.join(' or ')}` : `there is no ${pathname} here`;
  const reason = others.length > 0 ? 'METHOD_NOT_ALLOWED' : 'NO_SUCH_PATH';
  throw new HeddleError({ code: 'not_found', reason, message, sent: false });
}

function current(versions: GatewayVersions): Version {
  const version = versions.current;
  if (version !== undefined) return version;
  const message = 'nothing is served yet';
  throw new HeddleError({ code: 'unavailable', reason: 'NO_VERSION', message, sent: false });
}

function applied(version: Version): HttpResponse {
  return jsonAnswer(200, summary(version));
}

/** A version without its content. */
export function summary({ id, atMs, why, config, documents, kept }: Version): object {
  return {
    id,
    at: new Date(atMs).toISOString(),
    why,
    files: documents.map(({ source }: ConfigDocument) => source),
    routes: config.routes.length,
    quarantined: config.quarantined.map(({ at, source, kept: goesOn, problems }) => ({
      route: at,
      file: source,
      served: goesOn ? 'as it was' : 'no',
      problems: problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
    })),
    filesKept: kept.map(({ source, error }) => ({ file: source, message: error.message })),
  };
}

function routesOf({ config }: Version): object[] {
  const shown = ({ name, match, action }: RouteConfig): object => {
    const to = action.kind === 'forward' ? action.shares : action;
    return { name, match, [action.kind]: to };
  };
  return config.routes.map(shown);
}

function numberIn(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw badRequest(`"${name}": expected the number of a version, found ${JSON.stringify(text.slice(0, 40))}`);
}

function badRequest(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message, sent: false });
}
