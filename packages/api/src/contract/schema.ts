import { badContract, isObject, type JsonObject } from './json.ts';

/** A schema in JSON Schema 2020-12, as OpenAPI 3.1 has it. */
export type JsonSchema = JsonObject;

/**
 * What a validator that keeps to Standard JSON Schema offers (https://standardschema.dev): the schema of a validator,
 * as JSON Schema. Zod, Valibot, ArkType and others do.
 */
export interface StandardJsonSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly jsonSchema: {
      readonly input: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
      readonly output: (options: { readonly target: 'draft-2020-12' }) => Record<string, unknown>;
    };
  };
}

/** What a contract takes as a schema. */
export type SchemaLike = JsonSchema | StandardJsonSchema;

/** The schema as JSON Schema: of what is taken in, or of what is given out. Throws `BAD_CONTRACT`. */
export function jsonSchemaOf(schema: SchemaLike, direction: 'input' | 'output'): JsonSchema {
  const standard = (schema as Partial<StandardJsonSchema>)['~standard'];
  if (standard === undefined) return schema as JsonSchema;
  const make = (standard as Partial<typeof standard>).jsonSchema?.[direction];
  if (make === undefined)
    throw badContract('a schema', [`the validator "${standard.vendor}" cannot say it as JSON Schema`]);
  const made: unknown = make({ target: 'draft-2020-12' });
  if (!isObject(made)) throw badContract('a schema', [`the validator "${standard.vendor}" gave no object`]);
  const { $schema: _, ...rest } = made;
  return rest;
}
