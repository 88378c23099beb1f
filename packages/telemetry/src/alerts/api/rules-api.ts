import type { HttpRequest, HttpResponse, HttpService } from '@heddle/wire';
import { goNumber } from '../../promql/go-number.ts';
import { jsonAnswer, targetOf } from '../../query/http-answers.ts';
import type { AlertEngine } from '../alert-engine.ts';
import { durationText } from '../document/duration.ts';
import type { ActiveAlert } from '../rules/rule-step.ts';
import type { Rule, RuleGroup } from '../rules/rule.ts';

/** Whether a request is one for `rulesApi`, by its path. */
export function isRulesQuery({ path }: HttpRequest): boolean {
  return /^\/api\/(v1\/(rules|alerts|alertmanagers)|notifications)$/.test(targetOf(path).path);
}

/**
 * Prometheus' API for rules and their alerts (`/api/v1/rules`, `/api/v1/alerts`), which Grafana reads; and
 * `/api/notifications`: what each channel was told last, and what it is owed. Read only.
 */
export function rulesApi(engine: AlertEngine): HttpService {
  return async (request) => {
    if (request.method !== 'GET') return failure(405, 'bad_data', 'this API is read only');
    const { path, parameters } = targetOf(request.path);
    if (path === '/api/notifications') return jsonAnswer(200, { notifications: notifications(engine) });
    if (path === '/api/v1/alertmanagers') return found({ activeAlertmanagers: [], droppedAlertmanagers: [] });
    if (path === '/api/v1/alerts') {
      const all = engine.groups.flatMap((group) =>
        group.rules.flatMap((rule) => alertsOf(engine, group, rule)),
      );
      return found({ alerts: all });
    }
    const type = parameters.get('type') ?? '';
    if (type !== '' && type !== 'alert' && type !== 'record')
      return failure(
        400,
        'bad_data',
        `type: expected alert or record, found ${JSON.stringify(type.slice(0, 80))}`,
      );
    const wanted = ({ kind }: Rule): boolean => type === '' || type === kind;
    return found({
      groups: engine.groups.map((group) => ({
        name: group.name,
        file: group.file,
        interval: group.everyMs / 1000,
        limit: group.limit,
        rules: group.rules.filter(wanted).map((rule) => shownRule(engine, group, rule)),
      })),
    });
  };
}

function shownRule(engine: AlertEngine, group: RuleGroup, rule: Rule): object {
  const health = engine.evaluator.healthOf(group, rule);
  const common = {
    name: rule.name,
    query: rule.query,
    health: health === undefined ? 'unknown' : health.problem === '' ? 'ok' : 'err',
    ...(health !== undefined && health.problem !== '' && { lastError: health.problem }),
    evaluationTime: (health?.tookMs ?? 0) / 1000,
    lastEvaluation: health === undefined ? '0001-01-01T00:00:00Z' : new Date(health.atMs).toISOString(),
  };
  if (rule.kind === 'record') return { ...common, type: 'recording', labels: rule.labels };
  const alerts = alertsOf(engine, group, rule);
  const states = alerts.map(({ state }) => state);
  const texts = (templates: typeof rule.labels): object =>
    Object.fromEntries(Object.entries(templates).map(([name, { text }]) => [name, text]));
  return {
    ...common,
    type: 'alerting',
    state: states.includes('firing') ? 'firing' : states.includes('pending') ? 'pending' : 'inactive',
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringMs / 1000,
    labels: texts(rule.labels),
    annotations: texts(rule.annotations),
    alerts,
  };
}

type ShownAlert = Record<string, unknown> & { readonly state: ActiveAlert['state'] };

/** Resolved alerts have ended, and Prometheus does not show them. */
function alertsOf(engine: AlertEngine, group: RuleGroup, rule: Rule): readonly ShownAlert[] {
  const all = Object.values(engine.evaluator.stateOf(group, rule));
  return all
    .filter(({ state }) => state !== 'resolved')
    .map(({ labels, annotations, state, value, activeAtMs }) => ({
      labels,
      annotations,
      state,
      activeAt: new Date(activeAtMs).toISOString(),
      value: goNumber(value),
    }));
}

function notifications({ notify, config, nowMs }: AlertEngine): readonly object[] {
  const kinds = new Map(config.receivers.map(({ name, channels }) => [name, channels] as const));
  return Object.values(notify.groups).flatMap((group) =>
    Object.entries(group.channels).map(([at, log]) => ({
      receiver: group.receiver,
      channel: kinds.get(group.receiver)?.[Number(at)]?.kind ?? '',
      group: group.labels,
      deliveredAt: log.atMs === 0 ? null : new Date(log.atMs).toISOString(),
      owed: log.owed.length,
      failures: log.failures,
      problem: log.problem,
      retryIn: log.retryAtMs === undefined ? null : durationText(Math.max(0, log.retryAtMs - nowMs)),
    })),
  );
}

function found(data: object): HttpResponse {
  return jsonAnswer(200, { status: 'success', data });
}

function failure(status: number, errorType: string, error: string): HttpResponse {
  return jsonAnswer(status, { status: 'error', errorType, error });
}
