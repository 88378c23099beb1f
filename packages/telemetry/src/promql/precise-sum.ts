/** A sum with what was lost to rounding kept beside it (Kahan, in Neumaier's form), as Prometheus adds up. */
export class PreciseSum {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    if (!Number.isFinite(sum)) this.#lost = 0;
    else if (Math.abs(this.#sum) >= Math.abs(value)) this.#lost += this.#sum - sum + value;
    else this.#lost += value - sum + this.#sum;
    this.#sum = sum;
  }

  get value(): number {
    return this.#sum + this.#lost;
  }
}

/** The mean, also where the sum would be too large for a number. */
export function preciseMean(values: readonly number[]): number {
  const sum = new PreciseSum();
  for (const value of values) sum.add(value);
  if (Number.isFinite(sum.value) || values.some((value) => !Number.isFinite(value)))
    return sum.value / values.length;
  let mean = 0;
  let count = 0;
  for (const value of values) {
    count++;
    mean += value / count - mean / count;
  }
  return mean;
}

/** The mean of the squares of the distances from the mean. */
export function variance(values: readonly number[]): number {
  let count = 0;
  const mean = new PreciseSum();
  const squares = new PreciseSum();
  for (const value of values) {
    count++;
    const delta = value - mean.value;
    mean.add(delta / count);
    squares.add(delta * (value - mean.value));
  }
  return squares.value / count;
}

/** The q-quantile of values in any order, between the two nearest where it falls between. NaN without values. */
export function quantileOf(quantile: number, values: readonly number[]): number {
  if (values.length === 0 || Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  // NaN counts as less than all others.
  const order = (value: number): number => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
  const sorted = values.toSorted((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b)));
  const rank = quantile * (sorted.length - 1);
  const below = Math.max(0, Math.floor(rank));
  const above = Math.min(sorted.length - 1, below + 1);
  const weight = rank - Math.floor(rank);
  return (sorted[below] as number) * (1 - weight) + (sorted[above] as number) * weight;
}
