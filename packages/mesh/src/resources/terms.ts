import { list, map, number, object, oneOf, type Shape, text, whole } from './shape.ts';

/** Labels of a workload, or those that a selector asks for. */
export type Labels = Readonly<Record<string, string>>;

/** How a text is compared; exactly one of them. `{}` of a header means: it is there. */
export interface StringMatch {
  readonly exact?: string;
  readonly prefix?: string;
  /** RE2 syntax; the whole text must match. */
  readonly regex?: string;
}

/** A share in percent, 0 to 100 with fractions: `{ value: 0.1 }` is one in a thousand. */
export interface Percent {
  readonly value?: number;
}

/** A port by its number. */
export interface PortSelector {
  readonly number?: number;
}

/** A port as servers, services and listeners name it. */
export interface Port {
  readonly number: number;
  readonly name: string;
  readonly protocol?: string;
  readonly targetPort?: number;
}

/** Which workloads of its namespace a policy is about; without labels: all of them. */
export interface WorkloadSelector {
  readonly matchLabels?: Labels;
}

/** As `WorkloadSelector`, in the form of the networking resources. */
export interface LabelSelector {
  readonly labels?: Labels;
}

/** The object that a policy is attached to, instead of workloads. */
export interface TargetRef {
  readonly group?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** A time as Istio and the Gateway API write it: `1h`, `1.5s`, `250ms`, `1h30m`. */
export const duration: Shape<string> = text('a time such as 250ms, 5s or 1h30m', (value) => {
  return durationPattern.test(value);
});
const durationPattern = /^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/;

/** Milliseconds of a time that `duration` accepts; 0 for any other text. */
export function durationMs(written: string): number {
  if (!durationPattern.test(written)) return 0;
  let total = 0;
  for (const [, count, unit] of written.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) {
    total += Number(count) * (unitMs[unit ?? ''] ?? 0);
  }
  return total;
}
const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};

/** A TCP or UDP port. */
export const portNumber: Shape<number> = whole(1, 65_535);
/** The shape of `Labels`. */
export const labels: Shape<Labels> = map(text());
/** A list of texts. */
export const texts: Shape<readonly string[]> = list(text());
/** The shape of a `Percent`. */
export const percent: Shape<Percent> = object<Percent>({ value: number(0, 100) });
/** The shape of a `PortSelector`. */
export const portSelector: Shape<PortSelector> = object<PortSelector>({ number: portNumber });
/** The shape of a `WorkloadSelector`. */
export const workloadSelector: Shape<WorkloadSelector> = object<WorkloadSelector>({ matchLabels: labels });
/** The shape of a `LabelSelector`. */
export const labelSelector: Shape<LabelSelector> = object<LabelSelector>({ labels });

/** The shape of a `StringMatch`. */
export const stringMatch: Shape<StringMatch> = object<StringMatch>({
  exact: text(),
  prefix: text(),
  regex: text(),
});

/** The shape of a `Port`. */
export const port: Shape<Port> = object<Port>(
  { number: portNumber, name: text(), protocol: text(), targetPort: portNumber },
  ['number', 'name'],
);

/** The shape of a `TargetRef`. */
export const targetRef: Shape<TargetRef> = object<TargetRef>(
  { group: text(), kind: text(), name: text(), namespace: text() },
  ['kind', 'name'],
);

/** The shape of a `Direction`. */
export const direction: Shape<Direction> = oneOf('CLIENT_AND_SERVER', 'CLIENT', 'SERVER');
/** The traffic that a telemetry rule sees: outgoing is CLIENT, incoming SERVER. */
export type Direction = 'CLIENT_AND_SERVER' | 'CLIENT' | 'SERVER';
