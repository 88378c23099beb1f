// Which blocks of the engine's sources have run: V8's own count, taken in this process.
import inspector from 'node:inspector/promises';

const engine = /\/packages\/(?:wire|rpc|kernel)\/src\/(?!.*\.test\.ts$)/;

/** Tells blocks that had not run before. Taking stock costs milliseconds, so it is done for many inputs at once. */
export class Coverage {
  readonly #session = new inspector.Session();
  readonly #seen = new Set<string>();

  /** Begins to count. */
  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The blocks that have run for the first time since this was last asked. */
  async fresh(): Promise<ReadonlySet<string>> {
    const fresh = new Set<string>();
    for (const block of await this.#taken()) {
      if (this.#seen.has(block)) continue;
      this.#seen.add(block);
      fresh.add(block);
    }
    return fresh;
  }

  /** Whether any of these blocks has run since stock was last taken. */
  async ran(blocks: ReadonlySet<string>): Promise<boolean> {
    return (await this.#taken()).some((block) => blocks.has(block));
  }

  /** How many blocks have run. */
  get blocks(): number {
    return this.#seen.size;
  }

  stop(): void {
    this.#session.disconnect();
  }

  /** The blocks that have run since this was last asked. */
  async #taken(): Promise<string[]> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    return result
      .filter(({ url }) => engine.test(url))
      .flatMap(({ url, functions }) =>
        functions.flatMap(({ ranges }) =>
          ranges
            .filter(({ count }) => count > 0)
            .map(({ startOffset, endOffset }) => `${url} ${startOffset} ${endOffset}`),
        ),
      );
  }
}
