import { collected } from '@heddle/api';
import type { Instance } from '@heddle/discovery';
import { HeddleError, type Runtime } from '@heddle/kernel';
import type { MetricRegistry } from '@heddle/telemetry';
import type { ApiCatalogue } from './api-catalogue.ts';

/** What judges whether an instance breaks others. */
export interface ApiJudgeOptions {
  readonly runtime: Runtime;
  readonly catalogue: ApiCatalogue;
  /** How long an instance is waited for to tell its contract. */
  readonly contractMs: () => number;
  /** What becomes of an instance of which it cannot be said whether it breaks others. */
  readonly onUndecided: () => 'admit' | 'quarantine';
  readonly metrics: MetricRegistry;
}

/** The member of an instance's metadata that tells why it gets no calls: the hash of its contract. */
export const quarantineKey = 'quarantine';
/** What stands there for an instance that could not be judged yet. */
export const undecided = 'undecided';

/** Asks instances for their contracts, and the catalogue what it says of those. */
export class ApiJudge {
  readonly #options: ApiJudgeOptions;
  readonly #count: (verdict: 'admitted' | 'quarantined' | 'undecided-admitted' | 'undecided-held') => void;

  constructor(options: ApiJudgeOptions) {
    this.#options = options;
    const admissions = options.metrics.counter({
      name: 'heddle_api_admissions_total',
      help: 'Registrations by what the catalogue of contracts said of them; undecided: it could not be asked, or could not ask.',
      labels: ['verdict'],
    });
    this.#count = (verdict) => admissions.series(verdict).inc();
  }

  /** The hash of the contract for which an instance is refused; `undecided` if that cannot be said. */
  async refusedHash(instance: Instance): Promise<string | undefined> {
    const { runtime, catalogue, contractMs } = this.#options;
    const { service, id, version: serviceVersion } = instance;
    try {
      const contract = await collected(instance, { runtime, timeoutMs: contractMs() });
      if (contract === undefined) return undefined;
      const { verdict, record } = await catalogue.offer({ service, instance: id, serviceVersion, contract });
      return verdict === 'quarantined' ? record?.hash : undefined;
    } catch (thrown) {
      const why = HeddleError.from(thrown).message;
      const onUndecided = this.#options.onUndecided();
      runtime.log('warn', 'whether an instance breaks others cannot be said', {
        service,
        id,
        why,
        onUndecided,
      });
      return undecided;
    }
  }

  /** What is done with an answer of `refusedHash`: undefined lets the instance in. It is counted. */
  ruled(found: string | undefined): string | undefined {
    const admits = found === undecided && this.#options.onUndecided() === 'admit';
    const hash = admits ? undefined : found;
    if (found === undecided) this.#count(admits ? 'undecided-admitted' : 'undecided-held');
    else this.#count(hash === undefined ? 'admitted' : 'quarantined');
    return hash;
  }
}

/** As an instance is registered while it gets no calls, with the reason. */
export function keptOut(instance: Instance, hash: string): Instance {
  return {
    ...instance,
    state: 'maintenance',
    metadata: { ...instance.metadata, [quarantineKey]: hash },
  };
}
