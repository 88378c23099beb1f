import { HeddleError, type Runtime } from '@heddle/kernel';
import { PrometheusQueries } from '@heddle/mesh/service-mesh';
import { usageError } from '../command.ts';

/** A Prometheus, or what speaks its API, for single numbers. */
export class Prometheus {
  readonly #queries: PrometheusQueries;

  /** `url`: `http://host:port`, with a path before `/api/v1` where there is one. Throws a usage error. */
  constructor(url: string, runtime: Runtime) {
    try {
      this.#queries = new PrometheusQueries(url, runtime);
    } catch (thrown) {
      throw usageError(`--prometheus: ${HeddleError.from(thrown).message}`);
    }
  }

  /**
   * The value of an instant query of one series; undefined where there is none or it is no number. Rejects with
   * `unavailable` / `NOT_MEASURED`.
   */
  async number(query: string): Promise<number | undefined> {
    const [value, ...more] = await this.#queries.query(query);
    if (more.length === 0) return value?.value;
    const message = `${query} gives ${more.length + 1} series, one is expected`;
    throw new HeddleError({ code: 'unavailable', reason: 'NOT_MEASURED', message, sent: false });
  }

  close(): void {
    this.#queries.close();
  }
}
