import type { HeddleError } from '@heddle/kernel';
import type { Instance } from '../registry/instance.ts';
import type { DesiredRegistration } from '../registry/registry.ts';

/**
 * One statement that is made in several registries. It stands as long as one of them has it, and none says that another
 * process has the id now.
 */
export class MergedRegistration implements DesiredRegistration {
  readonly #parts: readonly DesiredRegistration[];
  readonly #listeners = new Set<(registered: boolean) => void>();
  #told: boolean;

  /** At least one part. */
  constructor(parts: readonly DesiredRegistration[]) {
    this.#parts = parts;
    this.#told = this.registered;
    for (const part of parts) part.subscribe(() => this.#tell());
  }

  get instance(): Instance {
    return (this.#parts[0] as DesiredRegistration).instance;
  }

  get registered(): boolean {
    const isTaken = this.#parts.some(({ problem }) => problem?.reason === 'LEASE_SUPERSEDED');
    return !isTaken && this.#parts.some(({ registered }) => registered);
  }

  /** Of any registry: in a migration it matters that both have it. */
  get problem(): HeddleError | undefined {
    return this.#parts.find(({ problem }) => problem !== undefined)?.problem;
  }

  subscribe(listener: (registered: boolean) => void): () => void {
    const own = (registered: boolean): void => listener(registered);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  #tell(): void {
    const { registered } = this;
    if (registered === this.#told) return;
    this.#told = registered;
    for (const listener of this.#listeners) listener(registered);
  }
}
