import {
  type Direction,
  direction,
  duration,
  type TargetRef,
  targetRef,
  type WorkloadSelector,
  workloadSelector,
} from './terms.ts';
import { flag, list, map, number, object, oneOf, type Shape, text } from './shape.ts';

/** telemetry.istio.io Telemetry: traces, metrics and access logs of some workloads. */
export interface TelemetrySpec {
  readonly selector?: WorkloadSelector;
  readonly targetRefs?: readonly TargetRef[];
  readonly tracing?: readonly TracingRule[];
  readonly metrics?: readonly MetricsRule[];
  readonly accessLogging?: readonly AccessLogRule[];
}

/** A provider of the mesh configuration, by name. */
export interface TelemetryProvider {
  readonly name: string;
}

/** Which share of the requests is traced, by whom, with which tags. */
export interface TracingRule {
  readonly match?: { readonly mode?: Direction };
  readonly providers?: readonly TelemetryProvider[];
  readonly randomSamplingPercentage?: number;
  readonly disableSpanReporting?: boolean;
  readonly disableContextPropagation?: boolean;
  readonly customTags?: Readonly<Record<string, CustomTag>>;
  readonly enableIstioTags?: boolean;
  readonly useRequestIdForTraceSampling?: boolean;
}

/** Exactly one source of the value. */
export interface CustomTag {
  readonly literal?: { readonly value: string };
  readonly environment?: NamedValue;
  readonly header?: NamedValue;
  readonly formatter?: { readonly value: string };
}

/** A header or variable, and what stands in for it. */
export interface NamedValue {
  readonly name: string;
  readonly defaultValue?: string;
}

/** Metrics of a provider. */
export interface MetricsRule {
  readonly providers?: readonly TelemetryProvider[];
  readonly overrides?: readonly MetricsOverride[];
  readonly reportingInterval?: string;
}

/** Switches a metric off or changes its tags. */
export interface MetricsOverride {
  readonly match?: { readonly metric?: string; readonly customMetric?: string; readonly mode?: Direction };
  readonly disabled?: boolean;
  readonly tagOverrides?: Readonly<Record<string, TagOverride>>;
}

/** What becomes of a tag. */
export interface TagOverride {
  readonly operation?: 'UPSERT' | 'REMOVE';
  readonly value?: string;
}

/** Which requests are written to the log. */
export interface AccessLogRule {
  readonly match?: { readonly mode?: Direction };
  readonly providers?: readonly TelemetryProvider[];
  readonly disabled?: boolean;
  readonly filter?: { readonly expression?: string };
}

const providers = list(object<TelemetryProvider>({ name: text() }, ['name']));
const match = object<{ readonly mode?: Direction }>({ mode: direction });
const value = object<{ readonly value: string }>({ value: text() }, ['value']);
const namedValue = object<NamedValue>({ name: text(), defaultValue: text() }, ['name']);

const metric = oneOf(
  'ALL_METRICS',
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'TCP_OPENED_CONNECTIONS',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_SENT_BYTES',
  'TCP_RECEIVED_BYTES',
  'GRPC_REQUEST_MESSAGES',
  'GRPC_RESPONSE_MESSAGES',
);

const tracing = object<TracingRule>({
  match,
  providers,
  randomSamplingPercentage: number(0, 100),
  disableSpanReporting: flag,
  disableContextPropagation: flag,
  customTags: map(
    object<CustomTag>({ literal: value, environment: namedValue, header: namedValue, formatter: value }),
  ),
  enableIstioTags: flag,
  useRequestIdForTraceSampling: flag,
});

const metrics = object<MetricsRule>({
  providers,
  overrides: list(
    object<MetricsOverride>({
      match: object<NonNullable<MetricsOverride['match']>>({ metric, customMetric: text(), mode: direction }),
      disabled: flag,
      tagOverrides: map(object<TagOverride>({ operation: oneOf('UPSERT', 'REMOVE'), value: text() })),
    }),
  ),
  reportingInterval: duration,
});

/** The shape of a Telemetry. */
export const telemetrySpec: Shape<TelemetrySpec> = object<TelemetrySpec>({
  selector: workloadSelector,
  targetRefs: list(targetRef),
  tracing: list(tracing),
  metrics: list(metrics),
  accessLogging: list(
    object<AccessLogRule>({
      match,
      providers,
      disabled: flag,
      filter: object<NonNullable<AccessLogRule['filter']>>({ expression: text() }),
    }),
  ),
});
