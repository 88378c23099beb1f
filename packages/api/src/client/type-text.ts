import { canonical, isObject, type JsonObject, listOr, objectOr } from '../contract/json.ts';

/** The TypeScript type of a schema. References to components become their names. */
export function typeText(schema: unknown): string {
  if (!isObject(schema)) return schema === false ? 'never' : 'unknown';
  const { $ref: reference } = schema;
  if (typeof reference === 'string') return typeNameOf(reference.split('/').at(-1) ?? 'unknown');
  const base = nullable(schema, baseText(schema));
  const parts = listOr(schema['allOf']).map((part) => typeText(part));
  if (parts.length === 0) return base;
  return [...(base === 'unknown' ? [] : [base]), ...parts].map(grouped).join(' & ');
}

function nullable({ nullable: isNullable }: JsonObject, text: string): string {
  return isNullable === true ? `${grouped(text)} | null` : text;
}

function baseText(schema: JsonObject): string {
  const { const: only, enum: values, type } = schema;
  if (only !== undefined) return canonical(only);
  if (Array.isArray(values)) return values.map(canonical).join(' | ') || 'never';
  const alternatives = [...listOr(schema['oneOf']), ...listOr(schema['anyOf'])];
  if (alternatives.length > 0) return alternatives.map((one) => grouped(typeText(one))).join(' | ');
  if (Array.isArray(type)) return type.map((one) => grouped(singleText(String(one), schema))).join(' | ');
  return singleText(typeof type === 'string' ? type : guessed(schema), schema);
}

function guessed({ properties, items }: JsonObject): string {
  if (properties !== undefined) return 'object';
  return items === undefined ? '' : 'array';
}

function singleText(type: string, schema: JsonObject): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
    case 'number':
      return type;
    case 'integer':
      return 'number';
    case 'array':
      return `readonly ${grouped(typeText(schema['items']))}[]`;
    case 'object':
      return objectText(schema);
    default:
      return 'unknown';
  }
}

function objectText(schema: JsonObject): string {
  const required = listOr(schema['required']);
  const members = Object.entries(objectOr(schema['properties'])).map(([name, inner]) => {
    const mark = required.includes(name) ? '' : '?';
    const type = typeText(inner);
    return `readonly ${propertyName(name)}${mark}: ${mark === '' ? type : `${grouped(type)} | undefined`}`;
  });
  const { additionalProperties: further } = schema;
  if (members.length === 0)
    return `{ readonly [name: string]: ${isObject(further) ? typeText(further) : 'unknown'} }`;
  return `{ ${members.join('; ')} }`;
}

function grouped(text: string): string {
  return /[|&]| /.test(text) ? `(${text})` : text;
}

/** A member's name, in quotes where it needs them. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** A name for a type. */
export function typeNameOf(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) =>
    (next ?? '').toUpperCase(),
  );
  return /^[A-Za-z]/.test(name) ? name.slice(0, 1).toUpperCase() + name.slice(1) : `T${name}`;
}
