// What every real server or tool that we test or measure against looks like to the rest of the repository.

/** Where a program is and which one it is. */
export interface Found {
  readonly path: string;
  readonly version: string;
}

/** Why a program cannot be had on this machine; a sentence for the list of what was skipped. */
export interface Missing {
  readonly missing: string;
}

/** A program that is not ours: a load generator, a test suite, a client. */
export interface Tool {
  readonly name: string;
  /** It takes too long for tests to wait for: `obtain` only looks, and `install <its name>` is what puts it there. */
  readonly onDemand?: boolean;
  /** Looks on the machine and in our cache. Installs nothing, never rejects. */
  find(): Promise<Found | Missing>;
  /** Puts it into our cache, in bounded time; the machine itself is not changed. Never rejects. */
  install(): Promise<Found | Missing>;
  /** Does something small and real with it; rejects with what went wrong. Called when it was found. */
  verify(found: Found): Promise<void>;
}

/** A host that connections go to; IPv4 loopback in all of this folder. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** A server that is ready. */
export interface Running {
  readonly address: Place;
  readonly pid: number;
  /** Asks it to stop, insists after two seconds, and removes its data folder. May be called twice. */
  stop(): Promise<void>;
  /** What it has written to stdout and stderr, the last 64 KiB: for messages of failures. */
  output(): string;
}

/** A server that is not ours. */
export interface Engine<Options> extends Tool {
  /** Starts it on a free port with a data folder of its own; resolves when it accepts connections. */
  start(options: Options): Promise<Running>;
}

/** Only Linux can pin; elsewhere the option has no effect. */
export interface Pinned {
  /** The core to run on. Default: any. */
  readonly core?: number;
}

/** True for the answer of a look that failed. */
export function isMissing(found: Found | Missing): found is Missing {
  return 'missing' in found;
}

/**
 * The program, installed if it was not there. With `HEDDLE_INSTALL=off` in the environment nothing is installed.
 * The answer is looked for once per process.
 */
export function obtain(tool: Tool): Promise<Found | Missing> {
  const known = obtained.get(tool);
  if (known !== undefined) return known;
  const answer = findOrInstall(tool);
  obtained.set(tool, answer);
  return answer;
}

const obtained = new Map<Tool, Promise<Found | Missing>>();

async function findOrInstall(tool: Tool): Promise<Found | Missing> {
  const found = await tool.find();
  if (!isMissing(found) || process.env['HEDDLE_INSTALL'] === 'off') return found;
  if (tool.onDemand !== true) return tool.install();
  return {
    missing: `${found.missing}; node scripts/engines/main.ts install ${tool.name} does that, in minutes`,
  };
}

/** As `obtain`, for those who cannot go on without. */
export async function required(tool: Tool): Promise<Found> {
  const found = await obtain(tool);
  if (isMissing(found)) throw new Error(`${tool.name} is needed here: ${found.missing}`);
  return found;
}
