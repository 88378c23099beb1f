// What escapes from the engine: it must not, whatever bytes come.

/** Catches exceptions and rejections that nobody handles, as long as it is not stopped. */
export class Strays {
  #escaped: string | undefined;
  readonly #catch = (error: unknown): void => {
    this.#escaped ??= `escaped: ${error instanceof Error ? error.stack : String(error)}`;
  };

  constructor() {
    process.on('uncaughtException', this.#catch);
    process.on('unhandledRejection', this.#catch);
  }

  /** What has escaped since this was last asked: Node says so only when promises have had their turn. */
  async take(): Promise<string | undefined> {
    await new Promise((resolve) => setImmediate(resolve));
    const escaped = this.#escaped;
    this.#escaped = undefined;
    return escaped;
  }

  stop(): void {
    process.off('uncaughtException', this.#catch);
    process.off('unhandledRejection', this.#catch);
  }
}
