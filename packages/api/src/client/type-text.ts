import { canonical, isObject, type JsonObject, listOr, objectOr, pointed } from '../contract/json.ts';
import { isMadeOf, withoutAlternatives } from '../contract/made-of.ts';
import { isJson } from '../contract/media.ts';
import { unique } from '../operation/http-operations.ts';

const componentPrefix = '#/components/schemas/';
/** Deeper than that references that have no name of their own are anything. */
const deepest = 12;

/** The TypeScript types of a document's schemas. */
export class SchemaTypes {
  readonly #document: JsonObject;
  /** By the reference that leads there. */
  readonly #names: ReadonlyMap<string, string>;

  /** `taken`: names of types that are in the module already; those that are given here are added. */
  constructor(document: JsonObject, taken: Set<string>) {
    this.#document = document;
    const schemas = Object.keys(objectOr(objectOr(document['components'])['schemas']));
    this.#names = new Map(
      schemas.map((name) => [`${componentPrefix}${name}`, unique(typeNameOf(name), taken)] as const),
    );
  }

  /** The declarations of all schemas that have a name. */
  declarations(): readonly string[] {
    return [...this.#names].map(([reference, name]) => {
      const schema = pointed(this.#document, reference);
      return `\nexport type ${name} = ${this.#text(schema, [reference])};`;
    });
  }

  /** The type of a schema. References to components become their names. */
  text(schema: unknown): string {
    return this.#text(schema, []);
  }

  /** `aliases`: what the text stands in with no braces between, since a type may not be made of itself. */
  #text(schema: unknown, aliases: readonly string[]): string {
    if (!isObject(schema)) return schema === false ? 'never' : 'unknown';
    const { $ref: reference } = schema;
    if (typeof reference === 'string') return this.#referred(reference, 'alternatives', aliases);
    const base = nullable(schema, this.#base(schema, aliases));
    const parts = listOr(schema['allOf']).map((part) => {
      const inherited = objectOr(part)['$ref'];
      return typeof inherited === 'string'
        ? this.#referred(inherited, 'any', aliases)
        : this.#text(part, aliases);
    });
    const known = [base, ...parts].filter((one) => one !== 'unknown');
    if (known.length < 2) return known[0] ?? 'unknown';
    return [...new Set(known)].map(grouped).join(' & ');
  }

  #referred(reference: string, by: 'any' | 'alternatives', aliases: readonly string[]): string {
    const [within] = aliases;
    const isCircular = within !== undefined && isMadeOf(this.#document, reference, within, by);
    const name = this.#names.get(unescaped(reference));
    if (name !== undefined && !isCircular) return name;
    if (aliases.includes(reference) || aliases.length > deepest) return 'unknown';
    const target = pointed(this.#document, reference);
    if (!isCircular) return this.#text(target, [...aliases, reference]);
    return by === 'any' ? this.#text(withoutAlternatives(target), [...aliases, reference]) : 'unknown';
  }

  #base(schema: JsonObject, aliases: readonly string[]): string {
    const { const: only, enum: values, type } = schema;
    if (only !== undefined) return canonical(only);
    if (Array.isArray(values)) return values.map(canonical).join(' | ') || 'never';
    const alternatives = [...listOr(schema['oneOf']), ...listOr(schema['anyOf'])];
    if (alternatives.length > 0) {
      const texts = alternatives.map((one) => grouped(this.#text(one, aliases)));
      const either = texts.includes('unknown') ? 'unknown' : [...new Set(texts)].join(' | ');
      if (schema['properties'] === undefined) return either;
      return either === 'unknown' ? this.#object(schema) : `${grouped(either)} & ${this.#object(schema)}`;
    }
    if (Array.isArray(type))
      return [...new Set(type.map((one) => grouped(this.#single(String(one), schema))))].join(' | ');
    return this.#single(typeof type === 'string' ? type : guessed(schema), schema);
  }

  #single(type: string, schema: JsonObject): string {
    switch (type) {
      case 'string':
        return schema['format'] === 'binary' ? 'string | Blob' : 'string';
      case 'boolean':
      case 'null':
      case 'number':
        return type;
      case 'integer':
        return 'number';
      case 'array':
        return schema['prefixItems'] === undefined
          ? `readonly ${grouped(this.text(schema['items']))}[]`
          : 'readonly unknown[]';
      case 'object':
        return this.#object(schema);
      default:
        return 'unknown';
    }
  }

  #object(schema: JsonObject): string {
    const required = listOr(schema['required']);
    const members = Object.entries(objectOr(schema['properties'])).map(([name, inner]) => {
      const mark = required.includes(name) ? '' : '?';
      const type = this.text(inner);
      return `readonly ${propertyName(name)}${mark}: ${mark === '' ? type : optional(type)}`;
    });
    const { additionalProperties: further } = schema;
    if (members.length > 0) return `{ ${members.join('; ')} }`;
    return `{ readonly [name: string]: ${isObject(further) ? this.text(further) : 'unknown'} }`;
  }

  /** The type of what a media type's body is read as. */
  ofMedia(type: string, media: JsonObject | undefined): string {
    if (media?.['schema'] === undefined) return isJson(type) ? 'unknown' : 'string';
    return isJson(type) ? this.text(media['schema']) : 'string';
  }
}

function unescaped(reference: string): string {
  try {
    return decodeURIComponent(reference).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return reference;
  }
}

function nullable({ nullable: isNullable }: JsonObject, text: string): string {
  return isNullable === true && text !== 'unknown' ? `${grouped(text)} | null` : text;
}

function guessed({ properties, additionalProperties, items }: JsonObject): string {
  if (properties !== undefined || isObject(additionalProperties)) return 'object';
  return items === undefined ? '' : 'array';
}

/** With `undefined` among what it may be. */
export function optional(type: string): string {
  return type === 'unknown' ? type : `${grouped(type)} | undefined`;
}

/** In parentheses, if something beside it could take a part of it. */
function grouped(text: string): string {
  let rest = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '');
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replaceAll(/\{[^{}]*\}|\([^()]*\)/g, '');
  }
  return / [|&] |^ ?[|&]|[|&] ?$|^readonly /.test(rest) ? `(${text})` : text;
}

/** A member's name, in quotes where it needs them. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : JSON.stringify(name);
}

/** A name for a type. */
export function typeNameOf(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) =>
    (next ?? '').toUpperCase(),
  );
  return /^[A-Za-z]/.test(name) ? name.slice(0, 1).toUpperCase() + name.slice(1) : `T${name}`;
}
