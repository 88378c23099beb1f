import { HeddleError } from '@heddle/kernel';
import { isSealed, open } from '../secret/envelope.ts';
import type { KeyRing } from '../secret/key-ring.ts';
import { Secret } from '../secret/secret.ts';
import type { ConfigValue } from '../version/values.ts';

/** What references are resolved with. */
export interface ReferenceWorld {
  readonly variable: (name: string) => string | undefined;
  /** The text of a file. Rejects with a `HeddleError`. */
  readonly readText: (path: string) => Promise<string>;
  /** Opens secrets; without it a secret is an error. */
  readonly keys: KeyRing | undefined;
}

/**
 * A stored value as a program gets it: `{ $env: "NAME" }` is the variable's text, `{ $file: "path" }` that of the file
 * without the newline at its end, and `{ $secret: … }` a `Secret`. `where` is what a secret was sealed for. Rejects with
 * `failed_precondition` and what is missing; unknown `$` names are refused.
 */
export async function resolved(value: ConfigValue, where: string, world: ReferenceWorld): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Promise.all(value.map((one: ConfigValue) => resolved(one, where, world)));
  if (isSealed(value)) {
    if (world.keys === undefined) throw missing(`${where} is a secret, and no keys were given to open it`);
    return new Secret(open(value, where, world.keys));
  }
  const entries = Object.entries(value as { readonly [key: string]: ConfigValue });
  const [first] = entries;
  const [name, target] = first ?? [];
  if (!entries.some(([each]) => each.startsWith('$'))) {
    const inner = entries.map(async ([each, one]) => [each, await resolved(one, where, world)] as const);
    return Object.fromEntries(await Promise.all(inner));
  }
  if (entries.length === 1 && typeof target === 'string' && name === '$env') {
    const text = world.variable(target);
    if (text === undefined) throw missing(`${where} refers to the variable ${target}, which is not set`);
    return text;
  }
  if (entries.length === 1 && typeof target === 'string' && name === '$file')
    return (await world.readText(target)).replace(/\r?\n$/, '');
  throw missing(
    `${where}: expected {"$env": "NAME"}, {"$file": "path"} or a secret, found "${entries.map(([each]) => each).join('", "')}"`,
  );
}

function missing(message: string): HeddleError {
  return new HeddleError({
    code: 'failed_precondition',
    reason: 'UNRESOLVED_REFERENCE',
    message,
    sent: false,
  });
}
