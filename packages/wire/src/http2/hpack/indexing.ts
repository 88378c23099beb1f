/**
 * What an encoder does with a field that is in no table. The sender is free to choose (RFC 7541 section 6.2); what is
 * chosen here costs no memory at the peer for values that will not come again.
 * - `remember`: the value is likely the same next time;
 * - `if-repeated`: remember it when it has been seen before;
 * - `forget`: it differs from message to message;
 * - `never`: a secret, which no intermediary may put into a table either (RFC 7541 section 7.1.3).
 */
export type Indexing = 'remember' | 'if-repeated' | 'forget' | 'never';

const policies: readonly (readonly [Indexing, readonly string[]])[] = [
  [
    'remember',
    [
      ':authority',
      ':method',
      ':scheme',
      ':status',
      ':protocol',
      'accept',
      'accept-encoding',
      'accept-language',
      'access-control-allow-origin',
      'cache-control',
      'content-encoding',
      'content-type',
      'date',
      'grpc-encoding',
      'grpc-accept-encoding',
      'server',
      'te',
      'user-agent',
      'vary',
      'via',
    ],
  ],
  [
    'forget',
    [
      'age',
      'baggage',
      'content-length',
      'content-range',
      'etag',
      'grpc-message',
      'grpc-status-details-bin',
      'idempotency-key',
      'if-match',
      'if-modified-since',
      'if-none-match',
      'last-modified',
      'location',
      'range',
      'traceparent',
      'tracestate',
      'x-correlation-id',
      'x-request-id',
    ],
  ],
  ['never', ['authorization', 'cookie', 'proxy-authorization', 'set-cookie', 'x-api-key']],
];

const byName: ReadonlyMap<string, Indexing> = new Map(
  policies.flatMap(([indexing, names]) => names.map((name) => [name, indexing] as const)),
);

/** The policy for a field's name. */
export function indexingOf(name: string): Indexing {
  return byName.get(name) ?? 'if-repeated';
}
