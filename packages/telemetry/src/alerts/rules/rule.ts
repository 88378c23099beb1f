import type { Expression } from '../../promql/ast.ts';
import type { Template } from './template.ts';

/** An expression that is watched: each series that it gives is an alert. */
export interface AlertRule {
  readonly kind: 'alert';
  readonly name: string;
  /** As it was written. */
  readonly query: string;
  readonly expression: Expression;
  /** How long it must hold before the alert fires. */
  readonly forMs: number;
  /** How long the alert goes on firing when it no longer holds. */
  readonly keepFiringMs: number;
  readonly labels: Readonly<Record<string, Template>>;
  readonly annotations: Readonly<Record<string, Template>>;
}

/** An expression whose result is kept as a series of its own. */
export interface RecordingRule {
  readonly kind: 'record';
  readonly name: string;
  readonly query: string;
  readonly expression: Expression;
  readonly labels: Readonly<Record<string, string>>;
}

/** Either kind. */
export type Rule = AlertRule | RecordingRule;

/** Rules that are evaluated together, one after the other. */
export interface RuleGroup {
  /** Unique within a file. */
  readonly name: string;
  readonly file: string;
  readonly everyMs: number;
  /** Series that one rule may give; more are an error. 0: any number. */
  readonly limit: number;
  /** How far back in time it looks. */
  readonly offsetMs: number;
  readonly rules: readonly Rule[];
}
