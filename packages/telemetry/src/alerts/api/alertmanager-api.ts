import { timingSafeEqual } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, type HttpService, statusOfCode } from '@heddle/wire';
import { jsonAnswer, ParameterReader, targetOf } from '../../query/http-answers.ts';
import type { AlertEngine } from '../alert-engine.ts';
import { shownAlerts, shownGroups } from './shown-alerts.ts';
import { readAlerts, readSilence, shownSilence } from './posted.ts';
import { type LabelMatcher, readMatcher } from '../notify/matcher.ts';

const paths = /^\/api\/v2\/(status|receivers|alerts|alerts\/groups|silences|silence\/[^/]+)$/;
const mostBodyBytes = 8 * 1024 * 1024;

/** Whether a request is one for `alertmanagerApi`, by its path. */
export function isAlertmanagerCall({ path }: HttpRequest): boolean {
  return paths.test(targetOf(path).path);
}

/**
 * Alertmanager's HTTP API, version 2: alerts, groups, silences, receivers, status; so that `amtool`, Grafana and a Prometheus
 * that sends its alerts here work with it. What changes something needs `token` as a bearer.
 */
export function alertmanagerApi(engine: AlertEngine, token: string): HttpService {
  return async (request) => {
    try {
      if (request.method !== 'GET') checkToken(request, token);
      return await answer(request, engine);
    } catch (thrown) {
      const { code, message } = HeddleError.from(thrown);
      // A bare text in JSON, as Alertmanager has it.
      return jsonAnswer(statusOfCode(code), message);
    }
  };
}

async function answer(request: HttpRequest, engine: AlertEngine): Promise<HttpResponse> {
  const { path, parameters } = targetOf(request.path);
  const what = path.slice('/api/v2/'.length);
  const route = `${request.method} ${what.replace(/^silence\/.*/, 'silence/*')}`;
  const id = what.slice('silence/'.length);
  switch (route) {
    case 'GET status':
      return jsonAnswer(200, status(engine));
    case 'GET receivers':
      return jsonAnswer(
        200,
        engine.config.receivers.map(({ name }) => ({ name })),
      );
    case 'GET alerts':
      return jsonAnswer(200, shownAlerts(engine, filterIn(parameters)));
    case 'GET alerts/groups':
      return jsonAnswer(200, shownGroups(engine, filterIn(parameters)));
    case 'POST alerts':
      await engine.take({ kind: 'alerts', alerts: readAlerts(await json(request)) });
      return jsonAnswer(200, {});
    case 'GET silences':
      return jsonAnswer(200, silences(engine, matchersIn(parameters)));
    case 'POST silences':
      return postSilence(await json(request), engine);
    case 'GET silence/*':
      return jsonAnswer(200, shownSilence(silenceOf(engine, id), engine.nowMs));
    case 'DELETE silence/*':
      silenceOf(engine, id);
      await engine.take({ kind: 'expire', id });
      return jsonAnswer(200, {});
    default:
      return jsonAnswer(405, `${request.method} is not for this path`);
  }
}

/** A silence with the id of one that holds replaces it; one that has ended is followed by a new one. */
async function postSilence(value: unknown, engine: AlertEngine): Promise<HttpResponse> {
  const { nowMs } = engine;
  const { id: given, ...read } = readSilence(value, nowMs);
  const known = given === undefined ? undefined : silenceOf(engine, given);
  const goesOn = known !== undefined && known.endsAtMs > nowMs;
  const id = goesOn ? known.id : engine.newId();
  await engine.take({ kind: 'silence', silence: { ...read, id, updatedAtMs: nowMs } });
  return jsonAnswer(200, { silenceID: id });
}

function silenceOf(
  engine: AlertEngine,
  id: string,
): ReturnType<typeof readSilence> & { readonly id: string; readonly updatedAtMs: number } {
  const known = engine.notify.silences[id];
  if (known !== undefined) return known;
  throw new HeddleError({
    code: 'not_found',
    reason: 'NO_SILENCE',
    message: `there is no silence ${id}`,
    sent: false,
  });
}

function silences(engine: AlertEngine, wanted: readonly LabelMatcher[]): readonly object[] {
  const all = Object.values(engine.notify.silences);
  const found = all.filter(({ matchers }) =>
    wanted.every(({ name, value }) => matchers.some((each) => each.name === name && each.value === value)),
  );
  return found.toSorted((a, b) => a.endsAtMs - b.endsAtMs).map((each) => shownSilence(each, engine.nowMs));
}

/** As far as a program needs it. There is no cluster: the state is in one place. */
function status({ config, nowMs }: AlertEngine): object {
  return {
    cluster: { name: 'heddle', status: 'disabled', peers: [] },
    config: { original: config.shown },
    uptime: new Date(nowMs).toISOString(),
    versionInfo: { version: '0.25.0', revision: '', branch: '', buildUser: '', buildDate: '', goVersion: '' },
  };
}

/** Which alerts are wanted: `filter`, `receiver`, and by state `active`, `silenced`, `inhibited`. */
function filterIn(parameters: URLSearchParams): Parameters<typeof shownAlerts>[1] {
  const read = new ParameterReader(parameters);
  const flag = (name: string): boolean => {
    const text = parameters.get(name) ?? 'true';
    if (text !== 'true' && text !== 'false') read.problem(name, 'true or false', text);
    return text === 'true';
  };
  const flags = { active: flag('active'), silenced: flag('silenced'), inhibited: flag('inhibited') };
  read.check();
  const receiver = parameters.get('receiver') || undefined;
  return { ...flags, matchers: matchersIn(parameters), receiver };
}

function matchersIn(parameters: URLSearchParams): readonly LabelMatcher[] {
  return parameters.getAll('filter').map((text) => {
    const read = readMatcher(text);
    if (typeof read !== 'string') return read;
    throw new HeddleError({
      code: 'invalid_argument',
      reason: 'BAD_QUERY',
      message: `filter: ${read}`,
      sent: false,
    });
  });
}

async function json({ fields, body }: HttpRequest): Promise<unknown> {
  const type = fields.get('content-type') ?? '';
  const bytes = await body.bytes(mostBodyBytes);
  // A page of another site can send a form or a text without being asked back, and JSON it cannot.
  if (!/^application\/json\s*(;|$)/i.test(type)) throw bad('content-type: expected application/json');
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    throw bad('expected a body of JSON');
  }
}

function checkToken({ fields }: HttpRequest, token: string): void {
  const given = Buffer.from(fields.get('authorization') ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.byteLength === wanted.byteLength && timingSafeEqual(given, wanted)) return;
  const message = 'expected "authorization: Bearer" with the token of the registry';
  throw new HeddleError({ code: 'unauthenticated', reason: 'NO_TOKEN', message, sent: false });
}

function bad(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message, sent: false });
}
