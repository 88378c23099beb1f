import { type LabelMatcher, matcherText } from '@heddle/telemetry';

/** An alert as the control plane's API shows it. */
export interface ShownAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly status: { readonly state: string };
}

/** An alert of a rule that has not fired yet. */
export interface PendingAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
  readonly activeAt: string;
}

/** A rule, as that API shows it. */
export interface ShownRule {
  readonly name: string;
  readonly query: string;
  readonly type: string;
  readonly health: string;
  readonly lastError?: string;
  readonly state?: string;
  readonly duration?: number;
  readonly alerts?: readonly PendingAlert[];
}

/** A silence, as that API shows it. */
export interface ShownSilence {
  readonly id: string;
  readonly status: { readonly state: string };
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly matchers: readonly LabelMatcher[];
}

type Row = Record<string, string | number>;

/** Rows of what fires, then of what is about to. */
export function alertRows(firing: readonly ShownAlert[], pending: readonly PendingAlert[]): Row[] {
  return [
    ...firing.map(({ labels, annotations, startsAt, status }) =>
      row(labels, annotations, status.state === 'active' ? 'firing' : status.state, startsAt),
    ),
    ...pending.map(({ labels, annotations, state, activeAt }) => row(labels, annotations, state, activeAt)),
  ];
}

function row(
  labels: ShownAlert['labels'],
  { summary = '' }: ShownAlert['annotations'],
  state: string,
  since: string,
): Row {
  const { alertname = '', severity = '-' } = labels;
  return { alert: alertname, state, severity, since, summary };
}

/** Rows of a group of rules. */
export function ruleRows(group: string, rules: readonly ShownRule[]): Row[] {
  return rules.map(({ name, type, state, health, lastError, duration, query }) => ({
    group,
    rule: name,
    state: state ?? type,
    for: duration === undefined ? '-' : `${duration} s`,
    health: lastError === undefined ? health : `${health}: ${lastError}`,
    expression: query.replaceAll(/\s+/g, ' '),
  }));
}

/** Rows of silences. */
export function silenceRows(silences: readonly ShownSilence[]): Row[] {
  return silences.map(({ id, status, endsAt, createdBy, comment, matchers }) => ({
    id,
    state: status.state,
    until: endsAt,
    matchers: matchers.map(matcherText).join(' '),
    by: createdBy,
    comment,
  }));
}
