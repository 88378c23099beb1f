// 200 questions to two servers that have the same samples.

/** A question to the HTTP API. */
export interface Query {
  readonly path: 'query' | 'query_range';
  readonly parameters: Readonly<Record<string, string>>;
}

const counters = [
  'requests_total',
  'requests_total{code="200"}',
  'duration_seconds_count',
  'duration_seconds_sum',
];
const gauges = ['queue_depth', 'queue_depth{queue=~"q[01]"}', 'up'];
const windows = ['730ms', '1s', '2s530ms'];

const ofCounters = (metric: string, window: string): readonly string[] =>
  ['rate', 'increase', 'irate', 'resets', 'changes'].map((name) => `${name}(${metric}[${window}])`);

const ofGauges = (metric: string, window: string): readonly string[] => [
  ...['avg', 'sum', 'min', 'max', 'count', 'stddev', 'stdvar', 'last', 'present'].map(
    (name) => `${name}_over_time(${metric}[${window}])`,
  ),
  `quantile_over_time(0.7, ${metric}[${window}])`,
  `delta(${metric}[${window}])`,
  `deriv(${metric}[${window}])`,
  `predict_linear(${metric}[${window}], 60)`,
  `idelta(${metric}[${window}])`,
];

const others: readonly string[] = [
  'requests_total',
  'requests_total offset 1s',
  '-queue_depth',
  'abs(queue_depth)',
  'round(queue_depth, 0.5)',
  'ceil(queue_depth)',
  'floor(queue_depth)',
  'clamp(queue_depth, 0, 20)',
  'clamp_min(queue_depth, 5)',
  'clamp_max(queue_depth, 5)',
  'sgn(queue_depth)',
  'exp(queue_depth / 10)',
  'ln(requests_total)',
  'log2(requests_total)',
  'log10(requests_total)',
  'sqrt(requests_total)',
  'sin(queue_depth)',
  'cos(queue_depth)',
  'deg(queue_depth)',
  'sort(requests_total)',
  'sort_desc(requests_total)',
  'sum(requests_total)',
  'sum by (route) (requests_total)',
  'sum without (route, instance) (requests_total)',
  'avg by (code) (requests_total)',
  'min by (code) (requests_total)',
  'max by (route) (requests_total)',
  'count by (code) (requests_total)',
  'group by (code) (requests_total)',
  'stddev by (code) (requests_total)',
  'stdvar(requests_total)',
  'quantile(0.5, requests_total)',
  'quantile by (code) (0.9, requests_total)',
  'topk(2, requests_total)',
  'bottomk(2, requests_total)',
  'topk by (code) (1, requests_total)',
  'count_values("value", up)',
  'requests_total > 50',
  'requests_total > bool 50',
  '50 < requests_total',
  'requests_total == requests_total',
  'requests_total != bool 3',
  'queue_depth % 3',
  'queue_depth ^ 2',
  '2 ^ 3 ^ 2',
  '-1 ^ 2',
  '1 + 2 * 3 - 4 / 5',
  'queue_depth atan2 3',
  'sum by (route) (rate(requests_total{code="500"}[2s])) / sum by (route) (rate(requests_total[2s]))',
  'requests_total / ignoring(code) group_left sum without (code) (requests_total)',
  'requests_total * on(route) group_left duration_seconds_count',
  'requests_total and on(route) duration_seconds_count',
  'requests_total{code="500"} or requests_total{code="200"}',
  'requests_total unless requests_total{code="500"}',
  'requests_total unless on(route) queue_depth',
  'queue_depth > 5 and queue_depth < 20',
  'histogram_quantile(0.5, duration_seconds_bucket)',
  'histogram_quantile(0.9, rate(duration_seconds_bucket[2s]))',
  'histogram_quantile(0.99, sum by (le) (rate(duration_seconds_bucket[2s])))',
  'histogram_quantile(0.5, sum by (le, route) (increase(duration_seconds_bucket[3s])))',
  'histogram_quantile(1.5, duration_seconds_bucket)',
  'absent(nothing)',
  'absent(nothing{a="b"})',
  'absent(up)',
  'absent_over_time(nothing{a="b"}[1s])',
  'scalar(sum(requests_total))',
  'vector(3)',
  'time()',
  'pi()',
  'timestamp(up)',
  'minute(vector(1600000000))',
  'hour(vector(1600000000))',
  'day_of_week(vector(1600000000))',
  'day_of_month(vector(1600000000))',
  'days_in_month(vector(1600000000))',
  'month(vector(1600000000))',
  'year(vector(1600000000))',
  'label_replace(up, "where", "$1", "instance", "(.*):.*")',
  'label_join(up, "both", "-", "job", "instance")',
  'max_over_time(rate(requests_total[1s])[2s:500ms])',
  'avg_over_time(queue_depth[3s:300ms])',
  'sum_over_time((queue_depth > 0)[2s:500ms])',
  'rate(requests_total[1s] offset 1s)',
  'sum(rate(requests_total[1s])) by (route) > 1',
  '{__name__=~"queue.*"}',
  '{__name__=~"requests_total|up", job="heddle"}',
  'requests_total{route!="/orders"}',
  'requests_total{route!~"/o.*"}',
  'count({job="heddle"})',
  'holt_winters(queue_depth[2s], 0.5, 0.5)',
];

/** All of them at moments that no sample lies on; every fourth over a range. */
export function queries(newestMs: number): readonly Query[] {
  const texts = [
    ...others,
    ...counters.flatMap((metric) => windows.slice(0, 2).flatMap((window) => ofCounters(metric, window))),
    ...gauges.flatMap((metric) => windows.flatMap((window) => ofGauges(metric, window))),
  ].slice(0, 200);
  const at = (newestMs - 13) / 1000;
  return texts.map((query, index): Query => {
    // What Prometheus sorts is sorted at one moment only.
    if (index % 4 !== 0 || /^(sort|topk|bottomk)/.test(query))
      return { path: 'query', parameters: { query, time: at.toFixed(3) } };
    const parameters = { query, start: (at - 2).toFixed(3), end: at.toFixed(3), step: '0.37' };
    return { path: 'query_range', parameters };
  });
}
