import type { Path } from './shape.ts';

/** A place in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `error`: it does not do what it says, or is refused. `warning`: probably not what is meant. `info`: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

/** Which object a finding is about. */
export interface ObjectName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One finding about one place. */
export interface Finding extends Position {
  /** A stable constant of the catalogue, e.g. `HOST_NOT_FOUND`. */
  readonly code: string;
  readonly severity: Severity;
  readonly file: string;
  /** Undefined where the document could not be read as an object at all. */
  readonly object?: ObjectName;
  /** The field as people write it: `spec.http[0].route[1].weight`; empty for the whole document. */
  readonly field: string;
  /** What is wrong here, with the values. */
  readonly message: string;
  /** Why it matters. */
  readonly explanation: string;
  /** What to do. */
  readonly fix: string;
  /** The names of the same check in Kiali (`KIA…`) and istioctl (`IST…`). */
  readonly documented: readonly string[];
}

/** A path as people write it: `spec.http[0].match`. */
export function fieldOf(path: Path): string {
  let field = '';
  for (const part of path) {
    if (typeof part === 'number') field += `[${part}]`;
    else if (/^[\w-]+$/.test(part)) field += field === '' ? part : `.${part}`;
    else field += `[${JSON.stringify(part)}]`;
  }
  return field;
}
