import { HeddleError } from '@heddle/kernel';

/** What every metric is declared with. */
export interface FamilyOptions {
  /** Prometheus name: letters, digits, `_` and `:`; base units (`_seconds`, `_bytes`), counters end in `_total`. */
  readonly name: string;
  /** One sentence for people, shown by every tool that reads the metric. */
  readonly help: string;
  /** Label names, in the order in which `series` takes their values. Default none. */
  readonly labels?: readonly string[];
  /**
   * How many different values one label may take before further ones are counted as `other`. Default 200.
   * A label that somebody outside can choose (a path, a header) would otherwise fill the memory.
   */
  readonly maxLabelValues?: number;
}

/** Told when the guard has put a value into `other`. */
export type Overflow = (metric: string, label: string) => void;

/** One label combination of a family, as the exposition reads it. */
export interface Series<T> {
  readonly labelValues: readonly string[];
  readonly handle: T;
}

/** The label value that stands for all that came after the limit. */
export const otherValue = 'other';

const maxSeries = 5000;

// A trie: one map per label, so that a look-up hashes each value once and joins no strings.
type Node<T> = Map<string, Node<T> | T>;

/**
 * All series of one metric. `series` resolves label values to a handle, which is then updated without a look-up:
 * resolve once, keep the handle.
 */
export class Family<T> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly #make: () => T;
  readonly #overflow: Overflow;
  readonly #maxLabelValues: number;
  readonly #root: Node<T> = new Map();
  readonly #seen: readonly Set<string>[];
  readonly #all: Series<T>[] = [];
  #single: T | undefined;

  constructor(options: FamilyOptions, make: () => T, overflow: Overflow) {
    this.name = checkedName(options.name);
    this.help = options.help;
    this.labels = (options.labels ?? []).map(checkedLabel);
    this.#maxLabelValues = options.maxLabelValues ?? 200;
    this.#make = make;
    this.#overflow = overflow;
    this.#seen = this.labels.map(() => new Set<string>());
    if (this.labels.length === 0) this.#single = this.#add([]);
  }

  /** In order of their making. */
  get all(): readonly Series<T>[] {
    return this.#all;
  }

  /** The handle for these label values, given in the order of `labels`. Made on first use; the same one ever after. */
  series(...values: readonly string[]): T {
    if (this.#single !== undefined) return this.#single;
    let node = this.#root;
    const last = this.labels.length - 1;
    for (let at = 0; at < last; at++) {
      const next = node.get(values[at] ?? '');
      if (next === undefined) return this.#create(values);
      node = next as Node<T>;
    }
    return (node.get(values[last] ?? '') as T | undefined) ?? this.#create(values);
  }

  #create(values: readonly string[]): T {
    if (values.length !== this.labels.length) {
      const message = `metric ${this.name} takes ${this.labels.length} label values, got ${values.length}`;
      throw new HeddleError({ code: 'internal', reason: 'METRIC_LABELS', message });
    }
    const guarded = values.map((value, at) => this.#guard(value, at));
    let node = this.#root;
    for (const value of guarded.slice(0, -1)) {
      let next = node.get(value) as Node<T> | undefined;
      if (next === undefined) {
        next = new Map();
        node.set(value, next);
      }
      node = next;
    }
    const last = guarded.at(-1) ?? '';
    const present = node.get(last) as T | undefined;
    if (present !== undefined) return present;
    const made = this.#add(guarded);
    node.set(last, made);
    return made;
  }

  #guard(value: string, at: number): string {
    const seen = this.#seen[at];
    if (seen === undefined || seen.has(value)) return value;
    // Two guards: one label that explodes, and many that multiply.
    if (seen.size < this.#maxLabelValues && this.#all.length < maxSeries) {
      seen.add(value);
      return value;
    }
    this.#overflow(this.name, this.labels[at] ?? '');
    return otherValue;
  }

  #add(labelValues: readonly string[]): T {
    const handle = this.#make();
    this.#all.push({ labelValues, handle });
    return handle;
  }
}

function checkedName(name: string): string {
  if (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)) return name;
  const message = `metric name ${JSON.stringify(name)}: expected letters, digits, _ and :, not starting with a digit`;
  throw new HeddleError({ code: 'internal', reason: 'METRIC_NAME', message });
}

function checkedLabel(name: string): string {
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) && !name.startsWith('__') && name !== 'le') return name;
  const message = `label name ${JSON.stringify(name)}: expected letters, digits and _, not __… and not le`;
  throw new HeddleError({ code: 'internal', reason: 'METRIC_LABEL_NAME', message });
}
