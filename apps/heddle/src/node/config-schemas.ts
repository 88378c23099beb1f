import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { HeddleError } from '@heddle/kernel';
import type { PlaceSchemas } from '../settings/schemas.ts';

/**
 * The schemas that a module of the user's exports as `schemas`: `{ 'shop/order': z.object({…}) }`, of any library that
 * keeps to Standard Schema. Rejects with `invalid_argument` / `BAD_SCHEMAS` and every problem.
 */
export async function loadSchemas(file: string | undefined): Promise<PlaceSchemas> {
  if (file === undefined) return {};
  let module: { readonly schemas?: unknown };
  try {
    module = (await import(pathToFileURL(path.resolve(file)).href)) as typeof module;
  } catch (thrown) {
    throw badSchemas(file, [
      `it cannot be loaded: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    ]);
  }
  const { schemas } = module;
  if (typeof schemas !== 'object' || schemas === null)
    throw badSchemas(file, ['expected the export "schemas"']);
  const problems = Object.entries(schemas).flatMap(([place, schema]) => [
    ...(/^[a-z0-9-]+\/[a-z0-9-]+$/.test(place) ? [] : [`"${place}": expected namespace/group`]),
    ...(isStandard(schema) ? [] : [`"${place}": expected a Standard Schema`]),
  ]);
  if (problems.length > 0) throw badSchemas(file, problems);
  return schemas as PlaceSchemas;
}

function isStandard(schema: unknown): boolean {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false;
  const standard = (schema as Record<string, unknown>)['~standard'] as
    | { readonly validate?: unknown }
    | undefined;
  return typeof standard?.validate === 'function';
}

function badSchemas(file: string, problems: readonly string[]): HeddleError {
  const message = `the schemas in ${file}: ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_SCHEMAS', message, sent: false });
}
