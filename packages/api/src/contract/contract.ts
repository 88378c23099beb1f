import { createHash } from 'node:crypto';
import { badContract, canonical, isObject, type JsonObject } from './json.ts';

/** What a service calls of another one: all of it, or the operations that are named (see `Operation.id`). */
export interface Consumption {
  readonly service: string;
  /** Missing: any of them. */
  readonly operations?: readonly string[] | undefined;
}

/** All that a service promises to others, and what it needs of them. */
export interface Contract {
  /** OpenAPI 3.1 (3.0 is read too), of what it serves over HTTP. */
  readonly openapi?: JsonObject | undefined;
  /** AsyncAPI 3 (2 is read too), of the messages that it sends and takes. */
  readonly asyncapi?: JsonObject | undefined;
  /** A `google.protobuf.FileDescriptorSet` in base64, of what it serves over gRPC. */
  readonly descriptors?: string | undefined;
  /** Full names of the gRPC services that it serves. Default: all of its descriptors. */
  readonly services?: readonly string[] | undefined;
  /** What it says that it calls. What it was seen to call is known besides. */
  readonly consumes?: readonly Consumption[] | undefined;
}

const known = ['openapi', 'asyncapi', 'descriptors', 'services', 'consumes'];

/** Reads a contract that came from outside. Throws `BAD_CONTRACT` with all that is wrong. */
export function readContract(value: unknown): Contract {
  if (!isObject(value)) throw badContract('the contract', ['expected an object']);
  const problems = Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `unknown "${name}"`);
  const { openapi, asyncapi, descriptors, services, consumes } = value;
  if (openapi !== undefined && !(isObject(openapi) && isVersion(openapi['openapi'], '3')))
    problems.push('openapi: expected a document of OpenAPI 3');
  if (asyncapi !== undefined && !(isObject(asyncapi) && isVersion(asyncapi['asyncapi'], '2', '3')))
    problems.push('asyncapi: expected a document of AsyncAPI 3 or 2');
  if (
    descriptors !== undefined &&
    !(typeof descriptors === 'string' && /^[A-Za-z0-9+/]+=*$/.test(descriptors))
  )
    problems.push('descriptors: expected base64');
  if (services !== undefined && !isWords(services)) problems.push('services: expected a list of names');
  if (consumes !== undefined && !(Array.isArray(consumes) && consumes.every(isConsumption)))
    problems.push('consumes: expected a list of {service, operations?}');
  if (problems.length > 0) throw badContract('the contract', problems);
  return value;
}

/** A name for what a contract says: equal for two that say the same. */
export function contractHash(contract: Contract): string {
  return createHash('sha256').update(canonical(contract)).digest('hex').slice(0, 16);
}

function isVersion(version: unknown, ...majors: readonly string[]): boolean {
  return typeof version === 'string' && majors.some((major) => version.startsWith(`${major}.`));
}

function isWords(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '');
}

function isConsumption(value: unknown): boolean {
  if (!isObject(value) || typeof value['service'] !== 'string') return false;
  return value['operations'] === undefined || isWords(value['operations']);
}
