// `node scripts/engines/main.ts list | install [name …] | verify [name …] | cleanup [--cache]`
import { rmSync } from 'node:fs';
import { cacheFolder } from './cache.ts';
import { type Found, isMissing, type Missing, obtain, type Tool } from './engine.ts';
import { engines } from './engines.ts';
import { stopForgotten } from './running.ts';

const usage = `usage: node scripts/engines/main.ts list | install [name …] | verify [name …] | cleanup [--cache]
names: ${engines.map((engine) => engine.name).join(', ')}`;

async function main([command, ...names]: readonly string[]): Promise<number> {
  switch (command) {
    case 'list':
      return each(names, async (engine) => lineOf(await engine.find()));
    case 'install':
      return each(names, async (engine) => lineOf(await installed(engine, names)));
    case 'verify':
      return each(names, verify);
    case 'cleanup':
      return cleanup(names);
    case undefined:
    default:
      console.error(usage);
      return 2;
  }
}

/** By its name any is installed; without one those that do not take long. */
async function installed(engine: Tool, names: readonly string[]): Promise<Found | Missing> {
  const found = await obtain(engine);
  return isMissing(found) && names.includes(engine.name) ? engine.install() : found;
}

interface Line {
  readonly bad: boolean;
  readonly text: string;
}

/** One line per engine. Only a verification that failed is an error: what cannot be had is reported and no more. */
async function each(names: readonly string[], look: (engine: Tool) => Promise<Line>): Promise<number> {
  const unknown = names.filter((name) => !engines.some((engine) => engine.name === name));
  if (unknown.length > 0) {
    console.error(`unknown: ${unknown.join(', ')}\n${usage}`);
    return 2;
  }
  let code = 0;
  for (const engine of engines) {
    if (names.length > 0 && !names.includes(engine.name)) continue;
    const { bad, text } = await look(engine);
    if (bad) code = 1;
    console.log(`${engine.name.padEnd(12)} ${text}`);
  }
  return code;
}

function lineOf(found: Found | Missing): Line {
  return {
    bad: false,
    text: isMissing(found) ? `MISSING  ${found.missing}` : `${found.version}  ${found.path}`,
  };
}

async function verify(engine: Tool): Promise<Line> {
  const found = await obtain(engine);
  if (isMissing(found)) return { bad: false, text: `SKIPPED  ${found.missing}` };
  try {
    await engine.verify(found);
    return { bad: false, text: `works    ${found.version}` };
  } catch (error) {
    return { bad: true, text: `FAILS    ${found.version}: ${(error as Error).message}` };
  }
}

function cleanup(flags: readonly string[]): number {
  for (const name of stopForgotten()) console.log(`stopped ${name}`);
  if (flags.includes('--cache')) {
    rmSync(cacheFolder, { recursive: true, force: true });
    console.log(`removed ${cacheFolder}`);
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
