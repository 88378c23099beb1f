import { type JsonObject, objectsIn, textOr } from '../contract/json.ts';
import { httpOperations } from '../operation/http-operations.ts';
import type { HttpOperationIn } from '../operation/operation.ts';
import { mediaFor } from '../contract/media.ts';
import type { ChangeLevel, ContractChange } from './contract-change.ts';
import { type Documents, type SchemaChange, schemaChanges, type Side } from './schema-changes.ts';

/** What differs between two OpenAPI documents. How a parameter of the path is called makes no difference. */
export function openapiChanges(before: JsonObject, after: JsonObject): ContractChange[] {
  const [olds, nows] = [byShape(before), byShape(after)];
  const documents = { before, after };
  const changes: ContractChange[] = [];
  for (const [shape, old] of olds) {
    const now = nows.get(shape);
    if (now === undefined)
      changes.push(made(old, 'breaking', 'operation-removed', '', 'is no longer served'));
    else changes.push(...operationChanges(old, now, documents));
  }
  for (const [shape, now] of nows)
    if (!olds.has(shape)) changes.push(made(now, 'compatible', 'operation-added', '', 'is new'));
  return changes;
}

function byShape(document: JsonObject): Map<string, HttpOperationIn> {
  return new Map(
    httpOperations(document).map((one) => [`${one.method} ${one.path.replaceAll(/\{[^}]*\}/g, '{}')}`, one]),
  );
}

function operationChanges(
  old: HttpOperationIn,
  now: HttpOperationIn,
  documents: Documents,
): ContractChange[] {
  return [
    ...parameterChanges(old, now, documents),
    ...bodyChanges(old, now, documents),
    ...answerChanges(old, now, documents),
    ...securityChanges(old, now),
  ];
}

function parameterChanges(
  old: HttpOperationIn,
  now: HttpOperationIn,
  documents: Documents,
): ContractChange[] {
  const [before, after] = [parametersOf(old), parametersOf(now)];
  const changes: ContractChange[] = [];
  for (const [key, parameter] of before) {
    const other = after.get(key);
    if (other === undefined) {
      changes.push(made(old, 'warning', 'parameter-removed', key, 'is passed over now'));
      continue;
    }
    if (other['required'] === true && parameter['required'] !== true)
      changes.push(made(old, 'breaking', 'parameter-required', key, 'was optional, is required'));
    changes.push(...ofSchemas(old, 'request', parameter['schema'], other['schema'], documents, key));
  }
  for (const [key, parameter] of after) {
    if (before.has(key)) continue;
    if (parameter['required'] === true)
      changes.push(made(old, 'breaking', 'parameter-required', key, 'is new and required'));
    else changes.push(made(old, 'compatible', 'parameter-added', key, 'is new'));
  }
  return changes;
}

/** By place and name; those of the path by their order, since their names are nobody's business. */
function parametersOf({ parameters, path }: HttpOperationIn): Map<string, JsonObject> {
  const order = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name);
  return new Map(
    parameters.map((one) => {
      const [place, name] = [textOr(one['in']), textOr(one['name'])];
      return [place === 'path' ? `path ${order.indexOf(name) + 1}` : `${place} ${name}`, one];
    }),
  );
}

function bodyChanges(old: HttpOperationIn, now: HttpOperationIn, documents: Documents): ContractChange[] {
  const [before, after] = [old.body, now.body];
  if (before === undefined && after === undefined) return [];
  if (before === undefined)
    return after?.['required'] === true
      ? [made(old, 'breaking', 'body-required', 'body', 'is new and required')]
      : [made(old, 'compatible', 'body-added', 'body', 'is new')];
  if (after === undefined) return [made(old, 'warning', 'body-removed', 'body', 'is passed over now')];
  const changes = contentChanges(old, 'request', before, after, documents, 'body');
  if (after['required'] === true && before['required'] !== true)
    changes.push(made(old, 'breaking', 'body-required', 'body', 'was optional, is required'));
  return changes;
}

function answerChanges(old: HttpOperationIn, now: HttpOperationIn, documents: Documents): ContractChange[] {
  const after = new Map(now.answers);
  const changes: ContractChange[] = [];
  for (const [status, answer] of old.answers) {
    const other = after.get(status);
    if (other !== undefined)
      changes.push(...contentChanges(old, 'response', answer, other, documents, `answer ${status}`));
    else if (status.startsWith('2'))
      changes.push(made(old, 'breaking', 'answer-removed', `answer ${status}`, 'no longer comes'));
    else changes.push(made(old, 'compatible', 'answer-removed', `answer ${status}`, 'no longer comes'));
  }
  const before = new Map(old.answers);
  for (const [status] of now.answers) {
    if (before.has(status)) continue;
    const level = status.startsWith('2') ? 'warning' : 'compatible';
    changes.push(made(old, level, 'answer-added', `answer ${status}`, 'may come now'));
  }
  return changes;
}

/** Whoever showed what was asked for must go on being let in. */
function securityChanges(old: HttpOperationIn, now: HttpOperationIn): ContractChange[] {
  const before = old.security.length === 0 ? [[]] : old.security;
  const lost = before.filter((shown) => !letIn(shown, now.security));
  if (lost.length === 0) return [];
  const [ways, said] = [
    now.security.map((way) => way.join(' and ')).join(', or '),
    lost.map(worded).join(', or '),
  ];
  return [made(old, 'breaking', 'security-tightened', 'security', `${said} was enough, now ${ways} is`)];
}

function letIn(shown: readonly string[], ways: HttpOperationIn['security']): boolean {
  return ways.length === 0 || ways.some((way) => way.every((one) => shown.includes(one)));
}

function worded(way: readonly string[]): string {
  return way.join(' and ') || 'nothing';
}

function contentChanges(
  operation: HttpOperationIn,
  side: Side,
  before: JsonObject,
  after: JsonObject,
  documents: Documents,
  at: string,
): ContractChange[] {
  return objectsIn(before['content']).flatMap(([type, media]) => {
    const other = mediaFor(after, type);
    if (other !== undefined)
      return ofSchemas(operation, side, media['schema'], other[1]['schema'], documents, at);
    return [made(operation, 'breaking', `${side}-media-type-removed`, at, `${type} is no longer there`)];
  });
}

function ofSchemas(
  operation: HttpOperationIn,
  side: Side,
  before: unknown,
  after: unknown,
  documents: Documents,
  at: string,
): ContractChange[] {
  return schemaChanges(before, after, side, documents, '').map((one) => placed(operation, at, one));
}

function placed(
  operation: HttpOperationIn,
  at: string,
  { rule, level, at: within, message }: SchemaChange,
): ContractChange {
  return made(operation, level, rule, within === '' ? at : `${at}: ${within}`, message);
}

function made(
  { id }: HttpOperationIn,
  level: ChangeLevel,
  rule: string,
  at: string,
  message: string,
): ContractChange {
  return { kind: 'http', level, rule, operations: [id], at, message };
}
