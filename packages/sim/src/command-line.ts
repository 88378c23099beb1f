import { parseArgs } from 'node:util';

/** What `npm run sim` was asked to do. */
export interface CommandLine {
  /** Where the scenarios are. Default `simulations`, in the working folder. */
  readonly folder: string;
  /** Names of the scenarios to run; all of them if empty. */
  readonly scenarios: readonly string[];
  /** The first seed, and how many. Default 1 and 200. */
  readonly firstSeed: number;
  readonly seeds: number;
  /** Print the transcript of each seed. For looking at one. */
  readonly transcript: boolean;
  /** Run each seed twice and compare, not only the first. */
  readonly compare: boolean;
}

/** How to call it. */
export const usage: string = `npm run sim -- [--seeds N] [--seed S] [--from S] [--scenario NAME]... [--folder PATH]
  --seeds N        how many seeds of each scenario (default 200)
  --from S         the first of them (default 1)
  --seed S         this one only, with its transcript
  --scenario NAME  only this one; may be repeated
  --folder PATH    where the scenarios are (default simulations)
  --compare        run every seed twice and compare, not only the first`;

const options = {
  seeds: { type: 'string' },
  seed: { type: 'string' },
  from: { type: 'string' },
  scenario: { type: 'string', multiple: true },
  folder: { type: 'string' },
  compare: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Reads the arguments; undefined if help was asked for. Throws an error fit to print when they make no sense. */
export function readCommandLine(args: readonly string[]): CommandLine | undefined {
  const { values } = parseArgs({ args: [...args], options });
  if (values.help === true) return undefined;
  const only = values.seed === undefined ? undefined : wholeNumber('--seed', values.seed);
  return {
    folder: values.folder ?? 'simulations',
    scenarios: values.scenario ?? [],
    firstSeed: only ?? wholeNumber('--from', values.from ?? '1'),
    seeds: only === undefined ? wholeNumber('--seeds', values.seeds ?? '200') : 1,
    transcript: only !== undefined,
    compare: values.compare === true,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value;
  throw new Error(`${name}: expected a whole number from 0 to 4294967295, got ${JSON.stringify(text)}`);
}
