/** One line of a picture. */
interface Query {
  readonly expr: string;
  /** What it is called: `{{job}}` is the value of that label. */
  readonly legend: string;
}

/** One picture. */
export interface Panel {
  readonly title: string;
  /** Grafana's word for what the numbers are. */
  readonly unit: 'reqps' | 'percentunit' | 's' | 'bytes' | 'short' | 'ops';
  readonly queries: readonly Query[];
}

/** A page of pictures. */
export interface Dashboard {
  /** Stays the same, so that a new version replaces the old one. */
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const failedCodes = 'unknown|deadline_exceeded|resource_exhausted|internal|unavailable|data_loss';
const quantiles = [0.5, 0.9, 0.99] as const;

/** Rate, errors and durations of one family of calls by the given labels. */
function red(
  name: string,
  code: { readonly label: string; readonly failed: string },
  by: string,
): readonly Panel[] {
  const base = name.replace(/(_calls|s)_total$/, '');
  const legend = by
    .split(', ')
    .map((label) => `{{${label}}}`)
    .join(' ');
  const failed = `sum by (${by}) (rate(${name}{${code.label}=~"${code.failed}"}[$__rate_interval]))`;
  const all = `sum by (${by}) (rate(${name}[$__rate_interval]))`;
  return [
    { title: 'Rate', unit: 'reqps', queries: [{ expr: all, legend }] },
    { title: 'Failed', unit: 'percentunit', queries: [{ expr: `${failed} / ${all}`, legend }] },
    {
      title: 'Duration',
      unit: 's',
      queries: quantiles.map((quantile) => ({
        expr: `histogram_quantile(${quantile}, sum by (le, ${by}) (rate(${base}_duration_seconds_bucket[$__rate_interval])))`,
        legend: `p${quantile * 100} ${legend}`,
      })),
    },
  ];
}

const http = { label: 'status_code', failed: '5..' };
const rpc = { label: 'code', failed: failedCodes };
const titled = (before: string, panels: readonly Panel[]): readonly Panel[] =>
  panels.map((panel) => ({ ...panel, title: `${before}: ${panel.title.toLowerCase()}` }));
const one = (title: string, unit: Panel['unit'], expr: string, legend: string): Panel => ({
  title,
  unit,
  queries: [{ expr, legend }],
});

const process: readonly Panel[] = [
  one('Memory', 'bytes', 'process_resident_memory_bytes', '{{job}} {{instance}}'),
  one('CPU', 'percentunit', 'rate(process_cpu_seconds_total[$__rate_interval])', '{{job}} {{instance}}'),
  one('Event loop busy', 'percentunit', 'nodejs_eventloop_utilization_ratio', '{{job}} {{instance}}'),
  one('Event loop late, p99', 's', 'nodejs_eventloop_delay_p99_seconds', '{{job}} {{instance}}'),
  one('Instances up', 'short', 'sum by (job) (up)', '{{job}}'),
];

/** The pictures that there is something to show in: services, gateway, calls between services, messages, sagas, alerts. */
export const dashboards: readonly Dashboard[] = [
  {
    uid: 'heddle-services',
    title: 'Heddle: services',
    panels: [
      ...titled('HTTP', red('http_requests_total', http, 'job')),
      ...titled('RPC', red('rpc_server_calls_total', rpc, 'job')),
      ...process,
    ],
  },
  {
    uid: 'heddle-gateway',
    title: 'Heddle: gateway',
    panels: [
      ...red('http_requests_total', http, 'endpoint').map((panel) => ({
        ...panel,
        queries: panel.queries.map(({ expr, legend }) => ({ expr: ofGateway(expr), legend })),
      })),
      one(
        'Rate limits',
        'ops',
        'sum by (decision) (rate(gateway_rate_limit_decisions_total[$__rate_interval]))',
        '{{decision}}',
      ),
      one('Workers', 'short', 'sum by (job) (gateway_workers)', '{{job}}'),
    ],
  },
  {
    uid: 'heddle-mesh',
    title: 'Heddle: calls between services',
    panels: [
      ...titled('RPC', red('rpc_client_calls_total', rpc, 'job, service')),
      ...titled('HTTP', red('http_client_requests_total', http, 'job, service')),
    ],
  },
  {
    uid: 'heddle-messaging',
    title: 'Heddle: messages',
    panels: [
      one(
        'Published',
        'ops',
        'sum by (topic) (rate(heddle_messages_published_total[$__rate_interval]))',
        '{{topic}}',
      ),
      one(
        'Consumed',
        'ops',
        'sum by (topic, group, outcome) (rate(heddle_messages_consumed_total[$__rate_interval]))',
        '{{topic}} {{group}} {{outcome}}',
      ),
      one(
        'Age when handled, p99',
        's',
        'histogram_quantile(0.99, sum by (le, topic, group) (rate(heddle_message_age_seconds_bucket[$__rate_interval])))',
        '{{topic}} {{group}}',
      ),
    ],
  },
  {
    uid: 'heddle-sagas',
    title: 'Heddle: sagas',
    panels: [
      // Every process of a service shows the same number: the greatest is the newest that one of them has seen.
      one('Not ended', 'short', 'max by (saga, status) (heddle_sagas)', '{{saga}} {{status}}'),
      one(
        'Ended or parked',
        'ops',
        'sum by (saga, status) (rate(heddle_sagas_rested_total[$__rate_interval]))',
        '{{saga}} {{status}}',
      ),
      one(
        'Steps',
        'ops',
        'sum by (saga, step, kind, outcome) (rate(heddle_saga_steps_total[$__rate_interval]))',
        '{{saga}} {{step}} {{kind}} {{outcome}}',
      ),
    ],
  },
  {
    uid: 'heddle-alerts',
    title: 'Heddle: alerts',
    panels: [
      one('Alerts', 'short', 'sum by (state) (alerts)', '{{state}}'),
      one(
        'Notifications',
        'ops',
        'sum by (channel, outcome) (rate(alert_notifications_total[$__rate_interval]))',
        '{{channel}} {{outcome}}',
      ),
      one('Channels that are owed one', 'short', 'sum(alert_notifications_owed)', 'owed'),
    ],
  },
];

/** Every selector of a metric gets the job. */
function ofGateway(expr: string): string {
  return expr
    .replaceAll(/(http_request\w+)\{/g, '$1{job="gateway", ')
    .replaceAll(/(http_request\w+)\[/g, '$1{job="gateway"}[');
}

/**
 * A dashboard as Grafana imports it (`Dashboards → Import`, or a file of its provisioning). It asks for a Prometheus data
 * source, which may be a control plane.
 */
export function grafanaDashboard({ uid, title, panels }: Dashboard): object {
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  return {
    uid,
    title,
    tags: ['heddle'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 }],
    },
    panels: panels.map(({ title: panelTitle, unit, queries }, at) => ({
      id: at + 1,
      type: 'timeseries',
      title: panelTitle,
      datasource,
      gridPos: { x: (at % 3) * 8, y: Math.floor(at / 3) * 8, w: 8, h: 8 },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      options: {
        tooltip: { mode: 'multi', sort: 'desc' },
        legend: { displayMode: 'list', placement: 'bottom' },
      },
      targets: queries.map(({ expr, legend }, each) => ({
        refId: String.fromCharCode(65 + each),
        datasource,
        expr,
        legendFormat: legend,
      })),
    })),
  };
}
