import type { PromType } from './ast.ts';

/** Types of a function's arguments; how many of the last may be left out (or, negative, that the last may be repeated). */
export interface Signature {
  readonly args: readonly PromType[];
  readonly optional: number;
  readonly repeated: boolean;
  readonly result: PromType;
}

function takes(args: string, result: PromType = 'vector', optional = 0, repeated = false): Signature {
  return { args: args === '' ? [] : (args.split(' ') as PromType[]), optional, repeated, result };
}

const overRange = takes('matrix');
const ofVector = takes('vector');
const ofTime = takes('vector', 'vector', 1);
const constant = takes('', 'scalar');

const named = (names: string, signature: Signature): [string, Signature][] =>
  names.split(' ').map((name) => [name, signature]);

/** All functions that are known, by name. */
export const signatures: ReadonlyMap<string, Signature> = new Map([
  ...named(
    'rate increase delta irate idelta deriv resets changes avg_over_time sum_over_time count_over_time min_over_time ' +
      'max_over_time stddev_over_time stdvar_over_time last_over_time first_over_time present_over_time absent_over_time ' +
      'mad_over_time ts_of_min_over_time ts_of_max_over_time ts_of_last_over_time ts_of_first_over_time',
    overRange,
  ),
  ...named(
    'abs absent ceil floor exp sqrt ln log2 log10 sgn timestamp sort sort_desc acos acosh asin asinh atan atanh cos cosh ' +
      'sin sinh tan tanh deg rad histogram_count histogram_sum histogram_avg histogram_stddev histogram_stdvar',
    ofVector,
  ),
  ...named('minute hour day_of_week day_of_month day_of_year days_in_month month year', ofTime),
  ...named('time pi step range start end', constant),
  ['scalar', takes('vector', 'scalar')],
  ['vector', takes('scalar')],
  ['round', takes('vector scalar', 'vector', 1)],
  ['clamp', takes('vector scalar scalar')],
  ['clamp_min', takes('vector scalar')],
  ['clamp_max', takes('vector scalar')],
  ['quantile_over_time', takes('scalar matrix')],
  ['predict_linear', takes('matrix scalar')],
  ['double_exponential_smoothing', takes('matrix scalar scalar')],
  ['holt_winters', takes('matrix scalar scalar')],
  ['histogram_quantile', takes('scalar vector')],
  ['histogram_quantiles', takes('vector string scalar', 'vector', 0, true)],
  ['histogram_fraction', takes('scalar scalar vector')],
  ['label_replace', takes('vector string string string string')],
  ['label_join', takes('vector string string string', 'vector', 1, true)],
  ['sort_by_label', takes('vector string', 'vector', 1, true)],
  ['sort_by_label_desc', takes('vector string', 'vector', 1, true)],
]);

/** Aggregations that take a parameter, and its type. */
export const aggregations: ReadonlyMap<string, PromType | undefined> = new Map<string, PromType | undefined>([
  ...['sum', 'avg', 'count', 'min', 'max', 'group', 'stddev', 'stdvar'].map(
    (name) => [name, undefined] as const,
  ),
  ...['topk', 'bottomk', 'quantile', 'limitk', 'limit_ratio'].map((name) => [name, 'scalar'] as const),
  ['count_values', 'string'],
]);
