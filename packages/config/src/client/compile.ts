import { HeddleError } from '@heddle/kernel';
import { isIn } from '../version/audience.ts';
import { type ConfigVersion } from '../version/version.ts';
import { placeText } from '../place/place.ts';
import { type Leaf, type Leaves, leavesOf, merged, nested, type Origin } from './layers.ts';
import { type ReferenceWorld, resolved } from './references.ts';
import { pathOf, type StandardSchema } from './standard-schema.ts';

/** A whole configuration: what a program reads, and where each value of it comes from. */
export interface Compiled<Config> {
  readonly value: Config;
  /** By key, as `pool.max`. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** The values of a version for one instance, as leaves. */
export function leavesFor(version: ConfigVersion, instance: string): Leaves {
  const { place, gray } = version;
  const isGray = gray !== undefined && isIn(gray.audience, instance, place);
  const origin: Origin = {
    layer: 'centre',
    where: placeText(place),
    version: version.version,
    ...(isGray && { gray: true }),
  };
  return leavesOf(isGray ? gray.values : version.values, () => origin);
}

/**
 * Lays the layers over each other, resolves references, and checks the whole. Rejects with `failed_precondition` /
 * `BAD_CONFIGURATION`, which names every key that is wrong and where its value comes from, never the value.
 */
export async function compile<Config>(
  layers: readonly Leaves[],
  schema: StandardSchema<Config>,
  world: ReferenceWorld,
): Promise<Compiled<Config>> {
  const leaves = merged(layers);
  const problems: string[] = [];
  const values = await Promise.all(
    [...leaves].map(async ([key, leaf]) => {
      try {
        return [key, await resolved(leaf.value, sealedFor(key, leaf), world)] as const;
      } catch (thrown) {
        problems.push(HeddleError.from(thrown).message);
        return [key, undefined] as const;
      }
    }),
  );
  if (problems.length > 0) throw badConfiguration(problems);
  const result = await schema['~standard'].validate(nested(values));
  if (result.issues !== undefined)
    throw badConfiguration(
      result.issues.map((issue) => `${described(pathOf(issue), leaves)}: ${issue.message}`),
    );
  return { value: result.value, origins: new Map([...leaves].map(([key, { origin }]) => [key, origin])) };
}

/** What a secret of a key was sealed for. */
function sealedFor(key: string, { origin }: Leaf): string {
  return `${origin.where} ${key}`;
}

function described(path: string, leaves: Leaves): string {
  if (path === '') return 'the whole';
  const origin = (leaves.get(path) ?? [...leaves].find(([key]) => path.startsWith(`${key}.`))?.[1])?.origin;
  if (origin === undefined) return `${path} (set nowhere)`;
  const version = origin.version === undefined ? '' : ` version ${origin.version}`;
  return `${path} (${origin.layer}, ${origin.where}${version})`;
}

function badConfiguration(problems: readonly string[]): HeddleError {
  const message = `the configuration is not good: ${problems.join('; ')}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'BAD_CONFIGURATION', message, sent: false });
}
