// Documents as others write them: what they say in ways that Heddle's own do not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { Call, type Runtime } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { contractChanges } from '../change/contract-changes.ts';
import { httpClientSource } from '../client/http-client-source.ts';
import { messageClientSource } from '../client/message-client-source.ts';
import { readContract } from '../contract/contract.ts';
import type { JsonObject } from '../contract/json.ts';
import { schemaCheck } from '../contract/schema-check.ts';
import { schemaExample } from '../example/schema-example.ts';
import { mockHttp } from '../mock/mock-http.ts';
import { snippet } from '../snippet/snippet.ts';
import { httpOperations } from './http-operations.ts';
import { messageOperations } from './message-operations.ts';
import { pathValues } from './path-values.ts';

const zoo: JsonObject = {
  openapi: '3.0.3',
  info: { title: 'Zoo */ of animals', version: '1' },
  security: [{ key: [] }],
  paths: {
    '/animals/{id}.{format}': { $ref: '#/components/x-items/animal' },
    '/animals': {
      post: {
        operationId: 'add',
        security: [],
        requestBody: {
          required: true,
          content: { 'application/json; charset=utf-8': { schema: { $ref: '#/components/schemas/Animal' } } },
        },
        responses: {
          '2XX': { description: 'Added', headers: { 'X-Left': { schema: { type: 'integer', maximum: 3 } } } },
        },
      },
      get: {
        operationId: 'add',
        parameters: [
          {
            name: 'filter',
            in: 'query',
            style: 'deepObject',
            schema: { type: 'object', properties: { legs: { type: 'integer' } } },
          },
          { name: 'Accept', in: 'header', required: true, schema: { type: 'string' } },
          {
            name: 'page',
            in: 'query',
            content: {
              'application/json': {
                schema: { type: 'object', required: ['size'], properties: { size: { type: 'integer' } } },
              },
            },
          },
        ],
        responses: {
          default: {
            description: 'All',
            content: {
              'application/json': {
                schema: { type: 'array', items: { $ref: '#/components/schemas/Animal' } },
              },
            },
          },
        },
      },
    },
    '/photo': {
      put: {
        requestBody: {
          content: {
            'multipart/form-data': {
              schema: {
                type: 'object',
                properties: { file: { type: 'string', format: 'binary' }, note: { type: 'string' } },
              },
            },
          },
        },
        responses: {},
      },
    },
    '/': {
      get: {
        parameters: [
          { name: 'id', in: 'query', required: true, schema: { type: 'string', example: "it's" } },
        ],
        responses: { '204': { description: 'Done' } },
      },
    },
  },
  components: {
    'x-items': {
      animal: {
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'format', in: 'path', required: true, schema: { type: 'string', enum: ['json'] } },
        ],
        get: {
          operationId: 'read',
          responses: {
            '200': {
              description: 'One',
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Animal' } } },
            },
          },
        },
      },
    },
    schemas: {
      Animal: {
        type: 'object',
        required: ['kind', 'id', 'name'],
        discriminator: {
          propertyName: 'kind',
          mapping: { cat: '#/components/schemas/Cat', dog: '#/components/schemas/Dog' },
        },
        oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }],
        properties: {
          id: { type: 'string', format: 'uuid', readOnly: true },
          kind: { type: 'string' },
          name: { type: 'string', pattern: '^[A-Z][a-z]{2,5}-\\d+$' },
          weight: { type: 'number', minimum: 0, exclusiveMinimum: true, nullable: true },
          size: { allOf: [{ $ref: '#/components/schemas/Record' }], nullable: true },
          code: { type: 'string', example: 1, default: null },
        },
      },
      Cat: {
        allOf: [
          { $ref: '#/components/schemas/Animal' },
          { type: 'object', properties: { lives: { type: 'integer' } } },
        ],
      },
      Dog: {
        type: 'object',
        properties: {
          friend: { $ref: '#/components/schemas/Dog' },
          sound: { $ref: '#/components/schemas/Cat/allOf/1/properties/lives' },
        },
      },
      Record: { type: 'string', enum: ['small', 'big'] },
    },
  },
};

const chat: JsonObject = {
  asyncapi: '2.6.0',
  info: { title: 'Chat', version: '1' },
  channels: {
    'rooms/{room}/messages': {
      publish: {
        summary: 'Say something',
        message: {
          oneOf: [{ $ref: '#/components/messages/said' }, { name: 'left', payload: { type: 'object' } }],
        },
      },
      subscribe: { message: { payload: { $ref: '#/components/schemas/Said' } } },
    },
  },
  components: {
    messages: {
      said: {
        traits: [{ contentType: 'application/json', name: 'from trait' }],
        payload: { $ref: '#/components/schemas/Said' },
      },
    },
    schemas: { Said: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } } },
  },
};

const costs: JsonObject = {
  asyncapi: '3.0.0',
  info: { title: 'Costs', version: '1' },
  channels: {
    ask: {
      address: 'ask',
      messages: {
        question: {
          payload: { schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: { type: 'record' } },
        },
      },
    },
    answer: { messages: { result: { $ref: '#/components/messages/result' } } },
  },
  operations: {
    first: {
      action: 'receive',
      summary: 'Ask',
      channel: { $ref: '#/channels/ask' },
      reply: { channel: { $ref: '#/channels/answer' } },
    },
    second: { action: 'receive', channel: { $ref: '#/channels/ask' } },
  },
  components: { messages: { result: { payload: { type: 'integer' } } } },
};

const time = new VirtualTime();
const { clock, timers } = time;
const runtime = { clock, timers, random: seededRandom(1), log: () => {} } as unknown as Runtime;

async function asked(
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
): Promise<{ status: number; fields: Fields; text: string }> {
  const request: HttpRequest = {
    method,
    scheme: 'http',
    authority: 'zoo',
    path,
    fields: Fields.of(body === undefined ? {} : { 'content-type': type }),
    body: wholeBody(new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body))),
  };
  const call = Call.root(runtime);
  const answer = await mockHttp(zoo)(request, call);
  const text = new TextDecoder().decode(await answer.body.bytes(100_000));
  call.end();
  return { status: answer.status, fields: answer.fields, text };
}

describe('an OpenAPI document of others', () => {
  it('has the operations of items that are referred to, each with a name of its own', () => {
    assert.deepEqual(
      httpOperations(zoo).map(({ id, name }) => `${id} ${name}`),
      [
        'GET /animals/{id}.{format} read',
        'POST /animals add',
        'GET /animals add_2',
        'PUT /photo put_photo',
        'GET / get_',
      ],
    );
    assert.deepEqual(
      httpOperations(zoo).map(({ parameters }) => parameters.length),
      [2, 0, 2, 0, 1],
      'a parameter "Accept" is none',
    );
  });

  it('may have names within a segment', () => {
    assert.deepEqual(pathValues('/animals/{id}.{format}', '/animals/a%20b.json'), {
      id: 'a b',
      format: 'json',
    });
    assert.equal(pathValues('/animals/{id}.{format}', '/animals/a'), undefined);
    assert.deepEqual(pathValues('/v1/{name}:cancel', '/v1/x:cancel'), { name: 'x' });
  });

  it('is answered by a mock with what its schemas take', async () => {
    const { status, text } = await asked('GET', '/animals/1.json');
    assert.equal(status, 200, text);
    const check = schemaCheck(zoo);
    const animal = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(check({ $ref: '#/components/schemas/Animal' }, animal, 'response'), []);
    assert.deepEqual(
      { kind: animal['kind'], size: animal['size'], code: animal['code'] },
      { kind: 'cat', size: 'small', code: 'text' },
    );
    assert.match(String(animal['name']), /^[A-Z][a-z]{2,5}-\d+$/);
  });

  it('is kept to by a mock: kinds, what the service writes itself, exclusive bounds, styles of the query', async () => {
    const good = { kind: 'dog', name: 'Rex-1'.replace('Rex', 'Rexi'), weight: 3 };
    const added = await asked('POST', '/animals', good);
    assert.equal(added.status, 200, added.text);
    assert.equal(added.fields.get('x-left'), '1');
    assert.match((await asked('POST', '/animals', { ...good, kind: 'cow' })).text, /kind/);
    assert.match((await asked('POST', '/animals', { ...good, weight: 0 })).text, /weight: must be > 0/);
    assert.match((await asked('POST', '/animals', good, 'text/plain')).text, /expected application\/json/);
    assert.equal((await asked('GET', '/animals?filter%5Blegs%5D=4&page=%7B%22size%22%3A1%7D')).status, 200);
    assert.match(
      (await asked('GET', '/animals?filter%5Blegs%5D=x')).text,
      /query filter: legs: must be integer/,
    );
    assert.match((await asked('GET', '/animals?page=%7B%7D')).text, /size/);
    assert.equal((await asked('PUT', '/photo')).status, 200);
  });

  it('becomes a client that names nothing twice and is made of no type in a circle', () => {
    const source = httpClientSource(zoo);
    assert.match(source, /export type Record_2 = "small" \| "big"/);
    assert.match(source, /export type Animal = \(?\(?Cat \| Dog\)? & \{/);
    assert.match(
      source,
      /export type Cat = \{ readonly id: string/,
      'Cat has what Animal has, and is not made of Animal',
    );
    assert.match(source, /readonly sound\?: number \| undefined/);
    assert.match(source, /add_2\(input\?: Add2Input\)|"add_2"|add_2\(input\?/);
    assert.ok(!source.split('\n')[0]?.includes('*/'));
  });

  it('has snippets that say what the body is', () => {
    const operation = (id: string): ReturnType<typeof httpOperations>[number] => {
      const found = httpOperations(zoo).find((one) => one.id === id);
      assert.ok(found);
      return found;
    };
    const contract = { openapi: zoo };
    assert.equal(snippet(contract, operation('GET /'), 'curl', 'http://h'), `curl -s 'http://h/?id=it%27s'`);
    assert.match(
      snippet(contract, operation('PUT /photo'), 'curl', 'http://h') ?? '',
      / -F 'file=text' -F 'note=text'$/,
    );
  });

  it('differs from itself in nothing, and from one that wants more in what breaks', () => {
    const copy = structuredClone(zoo) as Record<string, JsonObject>;
    assert.deepEqual(contractChanges({ openapi: zoo }, { openapi: copy }), []);
    const newer = JSON.parse(
      JSON.stringify(zoo).replace('"minimum":0,"exclusiveMinimum":true', '"exclusiveMinimum":0'),
    ) as JsonObject;
    assert.deepEqual(
      contractChanges({ openapi: zoo }, { openapi: newer }),
      [],
      'a bound as OpenAPI 3.1 writes it',
    );
    const guarded = JSON.parse(
      JSON.stringify(zoo).replace('"operationId":"add","security":[]', '"operationId":"add"'),
    ) as JsonObject;
    assert.deepEqual(
      contractChanges({ openapi: zoo }, { openapi: guarded }).map(({ rule, operations, message }) => [
        rule,
        operations,
        message,
      ]),
      [['security-tightened', ['POST /animals'], 'nothing was enough, now key is']],
    );
  });
});

describe('an example', () => {
  it('ends where a schema cannot but contain itself', () => {
    const document = {
      components: {
        schemas: {
          A: { type: 'object', required: ['a'], properties: { a: { $ref: '#/components/schemas/A' } } },
        },
      },
    };
    assert.ok(JSON.stringify(schemaExample(document, { $ref: '#/components/schemas/A' })).length < 1000);
  });

  it('is within bounds, of the right length, and has no member twice', () => {
    const of = (schema: JsonObject): unknown => schemaExample({}, schema);
    assert.equal(of({ type: 'integer', maximum: -5 }), -5);
    assert.equal(of({ type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 }), 0.5);
    assert.deepEqual(
      of({ type: 'array', minItems: 2, uniqueItems: true, items: { type: 'integer' } }),
      [1, 2],
    );
    assert.equal(of({ oneOf: [{ type: 'null' }, { type: 'boolean' }] }), true);
    assert.match(
      String(of({ type: 'string', pattern: '^(?:a|b)[0-9]{3,}\\.x?$', minLength: 8 })),
      /^a\d{5,}\.x?$/,
    );
  });
});

describe('an AsyncAPI document of others', () => {
  it('of version 2 is read from the side of the application', () => {
    assert.deepEqual(readContract({ asyncapi: chat }), { asyncapi: chat });
    assert.deepEqual(
      messageOperations(chat).map(({ id, messages }) => [id, messages.map(([name]) => name)]),
      [
        ['receive rooms/{room}/messages', ['from trait', 'left']],
        ['send rooms/{room}/messages', ['rooms/{room}/messages']],
      ],
    );
    const source = messageClientSource(chat);
    assert.match(source, /export type Said = \{ readonly text: string \}/);
    assert.match(
      source,
      /publishFromTrait\(broker: Broker, parameters: \{ readonly room: string \}, payload: FromTrait/,
    );
    assert.match(source, /topic: "rooms\/" \+ parameters\["room"\] \+ "\/messages"/);
  });

  it('of version 3 has names for all messages, one operation for what is said twice, and the reply', () => {
    assert.deepEqual(
      messageOperations(costs).map(({ id, messages }) => [
        id,
        messages.map(([name, one]) => [name, one['payload']]),
      ]),
      [
        ['receive ask', [['question', undefined]]],
        ['send answer', [['result', { type: 'integer' }]]],
      ],
    );
    const other = JSON.parse(JSON.stringify(costs).replace('"record"', '"map"')) as JsonObject;
    assert.deepEqual(
      contractChanges({ asyncapi: costs }, { asyncapi: other }).map(({ rule, level }) => [rule, level]),
      [['payload-changed', 'warning']],
    );
  });

  it('of another version is refused with its place', () => {
    assert.throws(
      () => readContract({ asyncapi: { asyncapi: '1.2.0' } }),
      /asyncapi: expected a document of AsyncAPI 3 or 2/,
    );
  });
});
