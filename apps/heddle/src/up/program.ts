/**
 * A program that `up` runs as a process of its own: a file for Node. It sends `{ ready: … }` over its IPC channel when
 * it serves (the kernel's `runProcess` does), and drains on SIGTERM.
 */
export interface Program {
  /** Unique; names its log file. */
  readonly name: string;
  /** The file that Node runs. */
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the environment of `up`. */
  readonly env: Readonly<Record<string, string>>;
  /** How long it may take until it is ready. */
  readonly readyMs: number;
  /** How long it may take to drain after SIGTERM; then it is killed. */
  readonly stopMs: number;
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process that has been started. */
export interface Child {
  readonly pid: number | undefined;
  /** What it said about itself when it became ready: `{ url: … }`. Resolves once, or never. */
  readonly ready: Promise<Readonly<Record<string, string>>>;
  /** Resolves when it has gone, or could not be started. */
  readonly ended: Promise<Ended>;
  /** The last lines that it wrote. */
  readonly lastLines: readonly string[];
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts processes. The node adapter is `nodeProcesses`. */
export interface Processes {
  start(program: Program): Child;
}

/** "ended with exit code 1", "was killed by SIGKILL". */
export function describeEnd({ code, signal }: Ended): string {
  if (signal !== null) return `was killed by ${signal}`;
  return code === null ? 'could not be started' : `ended with exit code ${code}`;
}
