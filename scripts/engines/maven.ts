// Servers for the Java machine, from artifacts that are published for Maven.
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { cached, contentKey, fillCache } from './cache.ts';
import { lastWords, run, which } from './command.ts';
import type { Found, Missing } from './engine.ts';

const downloadLimitMs = 540_000;
const compileLimitMs = 180_000;

/** What is made of a folder with a `pom.xml`, and perhaps sources and resources of ours. */
export interface MavenBuild {
  readonly name: string;
  /** What is reported as version: that of the artifact that matters. */
  readonly version: string;
  /** The folder; all that it holds is in the key of the cache. */
  readonly source: string;
}

/** Looks in the cache only. The path is that of a folder with `lib` and `classes`, for `javaArgs`. */
export async function findAssembled(build: MavenBuild): Promise<Found | Missing> {
  const folder = folderOf(build);
  if (!existsSync(folder)) return { missing: `${build.name} has not been assembled yet` };
  if (which('java') === undefined)
    return { missing: `${build.name} runs on Java, and this machine has none` };
  return { path: folder, version: build.version };
}

/** Downloads the artifacts of the `pom.xml` and compiles our sources against them, into the cache. */
export async function assemble(build: MavenBuild): Promise<Found | Missing> {
  const absent = ['mvn', 'java', 'javac'].filter((tool) => which(tool) === undefined);
  if (absent.length > 0)
    return { missing: `${build.name} is assembled with Maven, and this machine lacks ${absent.join(', ')}` };
  try {
    await fillCache(path.basename(folderOf(build)), (folder) => fill(build, folder));
  } catch (error) {
    return { missing: `${build.name} could not be assembled: ${(error as Error).message}` };
  }
  return findAssembled(build);
}

/**
 * Arguments of `java` that run a class of what was assembled: quick to start, small, a single core's worth. `first` are
 * libraries whose classes hide those of the same name in others.
 */
export function javaArgs(
  folder: string,
  main: string,
  properties: Readonly<Record<string, string>>,
  first: readonly string[] = [],
): string[] {
  const libraries = [...first, '*'].map((name) => path.join(folder, 'lib', name));
  const classPath = [path.join(folder, 'classes'), ...libraries].join(path.delimiter);
  const given = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
  const small = ['-Xmx256m', '-Xshare:auto', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  return [...small, ...given, '-cp', classPath, main];
}

function folderOf({ name, source }: MavenBuild): string {
  return cached(`${name}-${contentKey(source)}`);
}

async function fill({ source }: MavenBuild, folder: string): Promise<void> {
  const lib = path.join(folder, 'lib');
  const classes = path.join(folder, 'classes');
  mkdirSync(classes);
  const pom = path.join(source, 'pom.xml');
  const goals = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${lib}`];
  await must('mvn', ['--batch-mode', '--quiet', '--file', pom, ...goals], downloadLimitMs);
  const resources = path.join(source, 'META-INF');
  if (existsSync(resources)) cpSync(resources, path.join(classes, 'META-INF'), { recursive: true });
  const sources = readdirSync(source).filter((name) => name.endsWith('.java'));
  if (sources.length === 0) return;
  const files = sources.map((name) => path.join(source, name));
  await must('javac', ['-proc:none', '-cp', path.join(lib, '*'), '-d', classes, ...files], compileLimitMs);
}

async function must(command: string, args: readonly string[], timeoutMs: number): Promise<void> {
  const done = await run(command, args, { timeoutMs });
  if (done.code !== 0) throw new Error(`${command}: ${firstErrors(done.output)}`);
}

/** Maven says first what is wrong, and then how to ask it for more. */
function firstErrors(output: string): string {
  const errors = output.split('\n').filter((line) => line.includes('ERROR') && line.length > 20);
  return errors.length === 0 ? lastWords(output) : errors.slice(0, 2).join(' / ').slice(0, 400);
}
