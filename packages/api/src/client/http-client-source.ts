import { type JsonObject, objectOr, textOr } from '../contract/json.ts';
import { chosenMedia, essence, isJson, type Media } from '../contract/media.ts';
import { wholeSchema } from '../contract/whole-schema.ts';
import { httpOperations, unique } from '../operation/http-operations.ts';
import type { HttpOperationIn } from '../operation/operation.ts';
import { prelude, preludeNames } from './http-client-prelude.ts';
import { optional, propertyName, SchemaTypes, typeNameOf } from './type-text.ts';

/** What the input of an operation has: where each member goes. */
interface Member {
  /** Of the input. */
  readonly member: string;
  readonly name: string;
  readonly place: string;
  readonly isRequired: boolean;
  readonly type: string;
  /** How lists and objects are written, where it is not as usual. */
  readonly style?: string;
}

interface Method {
  readonly operation: HttpOperationIn;
  readonly inputName: string;
  readonly members: readonly Member[];
  readonly body: Media | undefined;
  readonly output: string;
}

/** A TypeScript module with a typed client of an OpenAPI document. It needs nothing but `fetch`. */
export function httpClientSource(document: JsonObject): string {
  const title = commented(textOr(objectOr(document['info'])['title']));
  const taken = new Set(preludeNames);
  const types = new SchemaTypes(document, taken);
  const methods = httpOperations(document).map((operation) => methodOf(document, operation, types, taken));
  return [
    `// The client of ${JSON.stringify(title)}, made from its contract by "heddle api client". Not to be edited.`,
    ...types.declarations(),
    ...methods.map(inputSource),
    prelude,
    `/** ${title}. Every method rejects with an \`ApiError\` for a status of 400 and above. */`,
    'export interface Client {',
    ...methods.map((one) => `${docOf(one.operation)}  ${signature(one)};`),
    '}',
    '',
    '/** Makes one. */',
    'export function createClient(options: ClientOptions): Client {',
    '  return {',
    ...methods.map(methodSource),
    '  };',
    '}',
    '',
  ].join('\n');
}

function methodOf(
  document: JsonObject,
  operation: HttpOperationIn,
  types: SchemaTypes,
  taken: Set<string>,
): Method {
  const body = chosenMedia(operation.body);
  const inInput = new Set(body === undefined ? [] : ['body']);
  const members = operation.parameters.map((parameter): Member => {
    const [name, place] = [textOr(parameter['name']), textOr(parameter['in'])];
    const style = styleOf(document, parameter);
    return {
      member: unique(inInput.has(name) ? `${place}_${name}` : name, inInput),
      name,
      place,
      isRequired: parameter['required'] === true || place === 'path',
      type: types.text(parameter['schema']),
      ...(style !== undefined && { style }),
    };
  });
  if (body !== undefined)
    members.push({
      member: 'body',
      name: 'body',
      place: 'body',
      isRequired: operation.body?.['required'] === true,
      type: bodyType(types, body),
    });
  const inputName = unique(`${typeNameOf(operation.name)}Input`, taken);
  return { operation, inputName, members, body, output: outputText(operation, types) };
}

/** Undefined: repeated in the query, and with commas elsewhere. */
function styleOf(document: JsonObject, parameter: JsonObject): string | undefined {
  if (parameter['content'] !== undefined) return 'json';
  if (parameter['style'] === 'deepObject') return 'deep';
  if (parameter['in'] !== 'query') return undefined;
  if (parameter['style'] === 'spaceDelimited') return ' ';
  if (parameter['style'] === 'pipeDelimited') return '|';
  if (parameter['explode'] === false) return ',';
  return wholeSchema(document, parameter['schema'])['type'] === 'object' ? 'members' : undefined;
}

function bodyType(types: SchemaTypes, [type, media]: Media): string {
  if (isJson(type)) return types.text(media['schema']);
  const isForm = /^(multipart\/|application\/x-www-form-urlencoded)/.test(essence(type));
  return isForm && media['schema'] !== undefined
    ? types.text(media['schema'])
    : 'string | Uint8Array<ArrayBuffer> | Blob';
}

function outputText({ answers }: HttpOperationIn, types: SchemaTypes): string {
  const good = answers.filter(([status]) => status.startsWith('2'));
  const fallback = answers.filter(([status]) => status === 'default');
  const texts = (good.length > 0 ? good : fallback).map(([, answer]) => {
    const media = chosenMedia(answer);
    return media === undefined ? 'undefined' : types.ofMedia(...media);
  });
  return texts.includes('unknown') ? 'unknown' : [...new Set(texts)].join(' | ') || 'undefined';
}

function commented(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll(/\s+/g, ' ');
}

function docOf({ id, summary }: HttpOperationIn): string {
  return `  /** ${commented(`${id}${summary === '' ? '' : `: ${summary}`}`)} */\n`;
}

function inputSource({ inputName, members }: Method): string {
  const lines = members.map(({ member, isRequired, type }) =>
    isRequired
      ? `  readonly ${propertyName(member)}: ${type};`
      : `  readonly ${propertyName(member)}?: ${optional(type)};`,
  );
  return `\nexport interface ${inputName} {\n${lines.join('\n')}\n}`;
}

function signature({ operation: { name }, inputName, members, output }: Method): string {
  const mark = members.some(({ isRequired }) => isRequired) ? '' : '?';
  return `${propertyName(name)}(input${mark}: ${inputName}): Promise<${output}>`;
}

function methodSource({ operation, members, body }: Method): string {
  const { method, path, name, answers } = operation;
  const types = answers.flatMap(([, answer]) => chosenMedia(answer)?.[0] ?? []);
  const request = {
    method,
    path,
    accept: [...new Set(types)].join(', ') || '*/*',
    parameters: members
      .filter(({ place }) => place !== 'body')
      .map((one) => [one.place, one.name, one.member, one.style ?? '']),
    ...(body !== undefined && { body: body[0] }),
  };
  return `    ${propertyName(name)}: (input) => send(options, ${JSON.stringify(request)}, { ...input }),`;
}
