import type { ConfigValue, Place, StandardSchema } from '@heddle/config';
import { controlPlaneDefaults, controlPlaneSettings } from './control-plane-settings.ts';
import { gatewayDefaults, gatewaySettings } from './gateway-settings.ts';

/** Schemas by `namespace/group`. */
export type PlaceSchemas = Readonly<Record<string, StandardSchema>>;

type Values = Readonly<Record<string, ConfigValue>>;

const own: PlaceSchemas = {
  'heddle/gateway': overDefaults(gatewaySettings, gatewayDefaults),
  'heddle/control-plane': overDefaults(controlPlaneSettings, controlPlaneDefaults),
};

/** What a place may hold, by its namespace and group, in whatever environment: what users give, and Heddle's own. */
export function schemaOf(given: PlaceSchemas): (place: Place) => StandardSchema | undefined {
  const all: PlaceSchemas = { ...given, ...own };
  return ({ namespace, group }) => all[`${namespace}/${group}`];
}

/** A place holds some of the settings; the schema is of all of them, as the program has them in the end. */
function overDefaults(schema: StandardSchema, defaults: Values): StandardSchema {
  const { validate, ...rest } = schema['~standard'];
  return { '~standard': { ...rest, validate: (value) => validate(merged(defaults, value)) } };
}

function merged(below: unknown, above: unknown): unknown {
  if (!isObject(below) || !isObject(above)) return above;
  const all: Record<string, unknown> = { ...below };
  for (const [name, value] of Object.entries(above))
    all[name] = name in below ? merged(below[name], value) : value;
  return all;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
