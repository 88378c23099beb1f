import type { Runtime } from '@heddle/kernel';
import { placeText } from '../place/place.ts';
import { type ConfigVersion, versionOf, versionText } from '../version/version.ts';

/** Writes versions as they are stored, secrets sealed. Rejects as the disk does. */
export async function saveLastGood(
  runtime: Runtime,
  path: string,
  versions: readonly ConfigVersion[],
): Promise<void> {
  const content = { format: 1, versions: versions.map((one) => JSON.parse(versionText(one)) as unknown) };
  await runtime.disk.replace(path, new TextEncoder().encode(`${JSON.stringify(content)}\n`));
}

/** Reads them by the texts of their places; none if there is no file, or one that cannot be read, which the log says. */
export async function loadLastGood(
  runtime: Runtime,
  path: string,
): Promise<ReadonlyMap<string, ConfigVersion>> {
  try {
    const bytes = await runtime.disk.read(path);
    if (bytes === undefined) return new Map();
    const { format, versions } = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly format?: unknown;
      readonly versions?: unknown;
    };
    if (format !== 1 || !Array.isArray(versions)) throw new TypeError('expected format 1 with versions');
    return new Map(versions.map(versionOf).map((one) => [placeText(one.place), one]));
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    runtime.log('warn', 'the last good copy of the configuration cannot be read', { path, error });
    return new Map();
  }
}
