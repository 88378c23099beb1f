/** Where a series keeps its name. */
export const nameLabel = '__name__';

/**
 * A set of labels: names and values, sorted by name, without empty values (an empty value and none are the same in
 * Prometheus). Never changed; compared by `key`.
 */
export class Labels {
  static readonly empty: Labels = new Labels([]);
  readonly pairs: readonly (readonly [name: string, value: string])[];
  #key: string | undefined;

  private constructor(pairs: readonly (readonly [name: string, value: string])[]) {
    this.pairs = pairs;
  }

  static of(record: Readonly<Record<string, string>>): Labels {
    return Labels.ofPairs(Object.entries(record));
  }

  static ofPairs(pairs: readonly (readonly [name: string, value: string])[]): Labels {
    const present = pairs.filter(([, value]) => value !== '');
    return new Labels(present.toSorted(([a], [b]) => compareTexts(a, b)));
  }

  /** Equal for equal sets. */
  get key(): string {
    this.#key ??= this.pairs.map(([name, value]) => `${name}\u0001${value}`).join('\u0002');
    return this.#key;
  }

  /** Empty where there is none. */
  get(name: string): string {
    for (const [each, value] of this.pairs) if (each === name) return value;
    return '';
  }

  with(name: string, value: string): Labels {
    return Labels.ofPairs([...this.pairs.filter(([each]) => each !== name), [name, value]]);
  }

  only(names: ReadonlySet<string>): Labels {
    return new Labels(this.pairs.filter(([name]) => names.has(name)));
  }

  without(names: ReadonlySet<string>): Labels {
    return new Labels(this.pairs.filter(([name]) => !names.has(name)));
  }

  withoutName(): Labels {
    return this.pairs.some(([name]) => name === nameLabel)
      ? new Labels(this.pairs.filter(([name]) => name !== nameLabel))
      : this;
  }

  toRecord(): Record<string, string> {
    return Object.fromEntries(this.pairs);
  }
}

/** By code units of UTF-16, as good as Go's order for all that is ASCII. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
