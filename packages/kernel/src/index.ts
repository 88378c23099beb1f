export { type Ambient, ambientOf, asCurrent } from './ambient.ts';
export type { Current } from './ports/current.ts';
export { Call, type CancelListener, type EndListener, type Outcome } from './call.ts';
export { type CallKey, callKey } from './call-key.ts';
export { callLog, tellCall } from './call-log.ts';
export {
  attempt,
  baggage,
  correlationId,
  type Idempotency,
  idempotency,
  idempotencyKey,
  type Priority,
  priority,
  type TraceContext,
  tenantId,
  traceContext,
  userId,
} from './context.ts';
export { type Code, codes, type ErrorDetail, HeddleError, type HeddleErrorInit } from './error.ts';
export { Gather, type GatherOptions } from './gather.ts';
export {
  App,
  type AppOptions,
  type AppState,
  type Part,
  type Registration,
  type StopReport,
} from './lifecycle/app.ts';
export type { Clock } from './ports/clock.ts';
export type { AppendFile, Disk } from './ports/disk.ts';
export type { Log, LogLevel } from './ports/log.ts';
export type {
  Address,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  Listener,
  ListenOptions,
  Net,
} from './ports/net.ts';
export type { Random } from './ports/random.ts';
export type { Runtime } from './ports/runtime.ts';
export type { Span, SpanAttributes, SpanKind, SpanSink } from './ports/spans.ts';
export type {
  ClientCertificates,
  PeerCertificate,
  TlsByNameOptions,
  TlsConnectOptions,
  TlsHandshakes,
  TlsIdentification,
  TlsIdentity,
  TlsListenOptions,
  TlsMaterial,
  TlsSession,
  TlsSource,
  TlsVersion,
} from './ports/tls.ts';
export type { Timer, Timers } from './ports/timers.ts';
export {
  type Classify,
  classifyErrors,
  type Meaning,
  perform,
  type Replay,
  type Result,
  settle,
  settleThen,
  valueOf,
} from './result.ts';
export { type Layer, type Service, stack } from './service.ts';
export { sleep } from './sleep.ts';
export { type OpenSpan, openSpan, type OpenSpanOptions, type SpanReport, withSpan } from './span.ts';
export { childSpan, DrawnSpan, startTrace } from './trace-ids.ts';
