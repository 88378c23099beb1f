import { HeddleError } from '@heddle/kernel';
import { type Place, placeText } from '../place/place.ts';

/** Who gets the gray values: instances by their names, or a share of all, or both. */
export interface Audience {
  readonly instances?: readonly string[];
  /** From 0 to 100. Who is in stays in when it grows. */
  readonly percent?: number;
}

/** Reads one. Throws `invalid_argument` / `BAD_AUDIENCE`. */
export function readAudience(json: unknown): Audience {
  const { instances, percent, ...others } = (
    typeof json === 'object' && json !== null ? json : {}
  ) as Readonly<Record<string, unknown>>;
  const problems = Object.keys(others).map((name) => `unknown "${name}", expected instances or percent`);
  const isList = Array.isArray(instances) && instances.length > 0 && instances.length <= 1000;
  if (instances !== undefined && !(isList && instances.every((one) => typeof one === 'string' && one !== '')))
    problems.push('instances: expected 1 to 1000 names');
  if (percent !== undefined && !(typeof percent === 'number' && percent >= 0 && percent <= 100))
    problems.push('percent: expected a number from 0 to 100');
  if (instances === undefined && percent === undefined) problems.push('expected instances, percent or both');
  if (problems.length > 0) throw badAudience(problems);
  return {
    ...(instances !== undefined && { instances: instances as string[] }),
    ...(percent !== undefined && { percent: percent as number }),
  };
}

/** Whether an instance belongs to it. Which share an instance is in differs from place to place, and is the same everywhere. */
export function isIn({ instances = [], percent = 0 }: Audience, instance: string, place: Place): boolean {
  return instances.includes(instance) || shareOf(`${placeText(place)} ${instance}`) < percent;
}

/** From 0 to under 100, evenly: FNV-1a over UTF-16 units, then the finaliser of MurmurHash3, since FNV alone leaves the high bits close for names that end alike. */
function shareOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000) * 100;
}

function badAudience(problems: readonly string[]): HeddleError {
  const message = `the audience: ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_AUDIENCE', message, sent: false });
}
