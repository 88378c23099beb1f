import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formatsPlugin from 'ajv-formats';
import type { JsonObject } from './json.ts';
import { plainSchema, type SchemaSide } from './plain-schema.ts';

/**
 * Says what is wrong with a value: a sentence for each problem, with its place; none if the schema takes it. `side`: who
 * writes the value, where the schema tells them apart by `readOnly` and `writeOnly`.
 */
export type SchemaCheck = (schema: JsonObject, value: unknown, side?: SchemaSide) => readonly string[];

/** Checks values against schemas of a document, whose references they may use. */
export function schemaCheck(document: JsonObject): SchemaCheck {
  // Formats that nobody here knows say nothing.
  const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
  // It is a function in one module system, and in an object in the other.
  const addFormats = ('default' in formatsPlugin ? formatsPlugin.default : formatsPlugin) as (
    on: Ajv2020,
  ) => void;
  addFormats(ajv);
  const compiled = new WeakMap<JsonObject, Map<SchemaSide | undefined, ValidateFunction>>();
  return (schema, value, side) => {
    const sides = compiled.get(schema) ?? new Map<SchemaSide | undefined, ValidateFunction>();
    compiled.set(schema, sides);
    let check = sides.get(side);
    if (check === undefined) {
      check = ajv.compile(plainSchema(document, schema, side));
      sides.set(side, check);
    }
    if (check(value) === true) return [];
    return (check.errors ?? []).map(({ instancePath, message = 'is not taken' }) => {
      const place = instancePath.slice(1).replaceAll('/', '.');
      return place === '' ? message : `${place}: ${message}`;
    });
  };
}
