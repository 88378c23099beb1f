import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formatsPlugin from 'ajv-formats';
import type { JsonObject } from './json.ts';

/** Says what is wrong with a value: a sentence for each problem, with its place; none if the schema takes it. */
export type SchemaCheck = (schema: JsonObject, value: unknown) => readonly string[];

/** Checks values against schemas of a document, whose references they may use. */
export function schemaCheck(document: JsonObject): SchemaCheck {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  // It is a function in one module system, and in an object in the other.
  const addFormats = ('default' in formatsPlugin ? formatsPlugin.default : formatsPlugin) as (
    on: Ajv2020,
  ) => void;
  addFormats(ajv);
  const compiled = new WeakMap<JsonObject, ValidateFunction>();
  return (schema, value) => {
    let check = compiled.get(schema);
    if (check === undefined) {
      // Its references lead into the document.
      const { components, channels } = document;
      check = ajv.compile({
        ...schema,
        ...(components !== undefined && { components }),
        ...(channels !== undefined && { channels }),
      });
      compiled.set(schema, check);
    }
    if (check(value) === true) return [];
    return (check.errors ?? []).map(({ instancePath, message = 'is not taken' }) => {
      const place = instancePath.slice(1).replaceAll('/', '.');
      return place === '' ? message : `${place}: ${message}`;
    });
  };
}
