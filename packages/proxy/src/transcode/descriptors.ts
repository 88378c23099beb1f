import {
  createFileRegistry,
  type DescExtension,
  type DescField,
  type DescMethod,
  type FileRegistry,
  fromBinary,
  getExtension,
  hasExtension,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { HeddleError } from '@heddle/kernel';
import type { RouteConfig } from '../model/route.ts';
import { byTemplate, parseTemplate, type PathTemplate } from './path-template.ts';

/** One way to call a method by HTTP. */
export interface Binding {
  readonly method: DescMethod;
  /** GET, or the kind of a custom one. */
  readonly verb: string;
  readonly template: PathTemplate;
  /** `all`: the content is the message. A field: it is that. Undefined: there is none. */
  readonly body: DescField | 'all' | undefined;
  /** The field that is the answer; undefined: all of the message. */
  readonly responseBody: DescField | undefined;
}

/** What a descriptor set says, and the ways to call its methods in order of specificity. */
export interface Descriptors {
  readonly registry: FileRegistry;
  readonly bindings: readonly Binding[];
}

interface HttpRule {
  readonly pattern: {
    readonly case?: string;
    readonly value?: string | { readonly kind: string; readonly path: string };
  };
  readonly body: string;
  readonly responseBody: string;
  readonly additionalBindings: readonly HttpRule[];
}

/**
 * The descriptors of a route; undefined for one that does not transcode. Throws as `readDescriptors`, and
 * `failed_precondition` / `NO_DESCRIPTORS` where `files` has no such file.
 */
export function descriptorsOf(
  { transcode }: RouteConfig,
  files: (name: string) => Uint8Array | undefined = () => undefined,
): Descriptors | undefined {
  if (transcode === undefined) return undefined;
  const bytes = files(transcode.descriptors);
  if (bytes !== undefined) return readDescriptors(bytes, transcode.services);
  const message = `the file ${transcode.descriptors} is not there: it has the descriptors of what is transcoded`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'NO_DESCRIPTORS', message, sent: false });
}

/**
 * Reads a set of descriptors with all that it imports (`buf build`, `protoc --include_imports --descriptor_set_out`).
 * `services`: only these; empty: all that say how they are called by HTTP. Throws `invalid_argument` /
 * `BAD_DESCRIPTORS` with every mistake at once.
 */
export function readDescriptors(bytes: Uint8Array, services: readonly string[]): Descriptors {
  const registry = registryOf(bytes);
  const rule = registry.getExtension('google.api.http');
  if (rule === undefined)
    throw bad(['no file in it says how methods are called by HTTP (google/api/annotations.proto)']);
  const mistakes = services
    .filter((name) => registry.getService(name) === undefined)
    .map((name) => `it has no service ${name}`);
  const bindings: Binding[] = [];
  for (const each of registry) {
    if (each.kind !== 'service' || (services.length > 0 && !services.includes(each.typeName))) continue;
    for (const method of each.methods) bindings.push(...bindingsOf(method, rule, mistakes));
  }
  if (bindings.length === 0 && mistakes.length === 0) mistakes.push('no method in it is called by HTTP');
  if (mistakes.length > 0) throw bad(mistakes);
  return { registry, bindings: bindings.toSorted((a, b) => byTemplate(a.template, b.template)) };
}

function registryOf(bytes: Uint8Array): FileRegistry {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  } catch (cause) {
    throw bad([cause instanceof Error ? cause.message : 'it cannot be read']);
  }
}

function bindingsOf(method: DescMethod, extension: DescExtension, mistakes: string[]): Binding[] {
  const { options } = method.proto;
  if (options === undefined || !hasExtension(options, extension)) return [];
  const rule: unknown = getExtension(options, extension);
  if (!isRule(rule)) return [];
  const rules = [rule, ...rule.additionalBindings];
  return rules.flatMap((each) => {
    const made = bindingOf(method, each);
    if (typeof made !== 'string') return [made];
    mistakes.push(`${method.parent.typeName}.${method.name}: ${made}`);
    return [];
  });
}

function bindingOf(method: DescMethod, rule: HttpRule): Binding | string {
  const { case: kind, value } = rule.pattern;
  if (kind === undefined || value === undefined) return 'its rule has no pattern';
  const [verb, path] = typeof value === 'string' ? [kind.toUpperCase(), value] : [value.kind, value.path];
  const template = parseTemplate(path);
  if (typeof template === 'string') return `${path}: ${template}`;
  for (const { field } of template.variables) {
    const found = fieldAt(method.input, field);
    if (found === undefined || found.fieldKind === 'list' || found.fieldKind === 'map')
      return `${path}: ${field.join('.')} is no single field of ${method.input.typeName}`;
  }
  const body = rule.body === '*' ? 'all' : fieldAt(method.input, [rule.body]);
  if (rule.body !== '' && body === undefined)
    return `body: ${method.input.typeName} has no field ${rule.body}`;
  const responseBody = rule.responseBody === '' ? undefined : fieldAt(method.output, [rule.responseBody]);
  if (rule.responseBody !== '' && responseBody === undefined)
    return `response_body: ${method.output.typeName} has no field ${rule.responseBody}`;
  return { method, verb, template, body: rule.body === '' ? undefined : body, responseBody };
}

/** Descriptors have no types: what they are is known by the extension's name. */
function isRule(value: unknown): value is HttpRule {
  return typeof value === 'object' && value !== null && 'pattern' in value && 'additionalBindings' in value;
}

/** The field at a path of names, as in the proto or in JSON; undefined if there is none. */
export function fieldAt(message: DescMethod['input'], path: readonly string[]): DescField | undefined {
  let at: DescMethod['input'] | undefined = message;
  let found: DescField | undefined;
  for (const step of path) {
    found = at?.fields.find(({ name, jsonName }) => name === step || jsonName === step);
    if (found === undefined) return undefined;
    at = found.fieldKind === 'message' ? found.message : undefined;
  }
  return found;
}

function bad(mistakes: readonly string[]): HeddleError {
  const message = `the descriptors cannot be used: ${mistakes.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_DESCRIPTORS', message, sent: false });
}
