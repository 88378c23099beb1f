/** What is being worked on at this moment, for code that was not handed it. Of a process it is its calls: see `Ambient`. */
export interface Current<C> {
  /** The one that encloses this moment; undefined outside of all. */
  current(): C | undefined;
  /** Runs `work` with `call` as the current one, for all that it awaits too. */
  run<T>(call: C, work: () => T): T;
  /**
   * States that somebody will ask for the current one. A runtime's keeps none before: to keep it costs every call, and
   * most processes have nobody who asks. A pool of connections does, and OpenTelemetry's API. Default: it always keeps it.
   */
  ask?(): void;
}
