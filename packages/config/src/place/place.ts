import { HeddleError } from '@heddle/kernel';

/** Where values live: `prod/shop/order` is the group `order` of the namespace `shop` in the environment `prod`. */
export interface Place {
  readonly environment: string;
  readonly namespace: string;
  readonly group: string;
}

/** What each of the three names must be: a label of DNS, so that every backend can hold it in its own keys. */
const name = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const nameRule = '1 to 40 lower-case letters, digits and "-", with a letter or digit at both ends';

/** `environment/namespace/group`. */
export function placeText({ environment, namespace, group }: Place): string {
  return `${environment}/${namespace}/${group}`;
}

/** Reads `environment/namespace/group`. Throws `invalid_argument` / `BAD_PLACE` with all that is wrong. */
export function readPlace(text: string): Place {
  const parts = text.split('/');
  const [environment = '', namespace = '', group = ''] = parts;
  if (parts.length !== 3)
    throw badPlace(text, ['expected environment/namespace/group, as in prod/shop/order']);
  const problems = Object.entries({ environment, namespace, group })
    .filter(([, value]) => !name.test(value))
    .map(([part, value]) => `${part}: expected ${nameRule}, found "${value}"`);
  if (problems.length > 0) throw badPlace(text, problems);
  return { environment, namespace, group };
}

/** Whether it is one, as `readPlace` would say. */
export function isPlace(text: string): boolean {
  const parts = text.split('/');
  return parts.length === 3 && parts.every((part) => name.test(part));
}

function badPlace(text: string, problems: readonly string[]): HeddleError {
  const message = `the place "${text.slice(0, 200)}": ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PLACE', message, sent: false });
}
