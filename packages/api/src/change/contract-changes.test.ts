import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Contract } from '../contract/contract.ts';
import { httpContract } from '../contract/http-contract.ts';
import type { JsonObject } from '../contract/json.ts';
import { messageContract } from '../contract/message-contract.ts';
import { contractChanges } from './contract-changes.ts';

const order: JsonObject = {
  type: 'object',
  required: ['id', 'state'],
  properties: {
    id: { type: 'string' },
    state: { enum: ['open', 'paid'] },
    total: { type: 'integer', minimum: 0 },
    note: { type: ['string', 'null'] },
    lines: { type: 'array', items: { $ref: '#/components/schemas/Line' } },
  },
};
const line: JsonObject = {
  type: 'object',
  properties: {
    sku: { type: 'string' },
    parts: { type: 'array', items: { $ref: '#/components/schemas/Line' } },
  },
};

interface Parts {
  readonly order?: JsonObject;
  readonly line?: JsonObject;
  readonly query?: Record<string, { schema: JsonObject; required?: boolean }>;
  readonly path?: string;
  readonly answers?: Record<string, { description: string; schema?: JsonObject }>;
  readonly withBody?: boolean;
  readonly more?: boolean;
}

function contract(parts: Parts = {}): Contract {
  const schema = { $ref: '#/components/schemas/Order' };
  const openapi = httpContract({
    title: 'order',
    version: '1',
    schemas: { Order: parts.order ?? order, Line: parts.line ?? line },
    operations: {
      [`GET ${parts.path ?? '/orders/{id}'}`]: {
        summary: 'One order',
        query: parts.query ?? { page: { schema: { type: 'integer' } } },
        answers: parts.answers ?? { 200: { description: 'It', schema }, 404: { description: 'None' } },
      },
      'POST /orders': {
        summary: 'Orders',
        ...(parts.withBody !== false && { body: { schema } }),
        answers: { 201: { description: 'Done' } },
      },
      ...(parts.more === true && {
        'DELETE /orders': { summary: 'All', answers: { 204: { description: 'Gone' } } },
      }),
    },
  });
  return { openapi };
}

function rules(after: Contract, before: Contract = contract()): string[] {
  return contractChanges(before, after)
    .filter(({ level }) => level === 'breaking')
    .map(({ operations: [operation], rule, at }) => `${operation}: ${rule} ${at}`);
}

function withOrder(change: JsonObject): Contract {
  return contract({ order: { ...order, properties: { ...(order['properties'] as JsonObject), ...change } } });
}

describe('what breaks an HTTP contract', () => {
  test('nothing differs between equal ones, and a parameter of the path may be renamed', () => {
    assert.deepEqual(contractChanges(contract(), contract()), []);
    assert.deepEqual(rules(contract({ path: '/orders/{orderId}' })), []);
  });

  test('what a response no longer brings breaks those who read, and what it newly brings in an enum', () => {
    const { note: _, ...rest } = order['properties'] as JsonObject;
    assert.deepEqual(rules(contract({ order: { ...order, properties: rest } })), [
      'GET /orders/{id}: response-property-removed answer 200: note',
    ]);
    assert.deepEqual(rules(withOrder({ state: { enum: ['open', 'paid', 'lost'] } })), [
      'GET /orders/{id}: response-values-added answer 200: state',
    ]);
    assert.deepEqual(rules(contract({ order: { ...order, required: ['id'] } })), [
      'GET /orders/{id}: response-property-optional answer 200: state',
    ]);
  });

  test('what a request must newly bring, or may no longer, breaks those who write', () => {
    assert.deepEqual(rules(contract({ order: { ...order, required: ['id', 'state', 'total'] } })), [
      'POST /orders: request-property-required body: total',
    ]);
    assert.deepEqual(rules(withOrder({ state: { enum: ['open'] } })), [
      'POST /orders: request-values-removed body: state',
    ]);
    assert.deepEqual(rules(withOrder({ total: { type: 'integer', minimum: 1 } })), [
      'POST /orders: request-tightened body: total',
    ]);
    assert.deepEqual(rules(withOrder({ more: { type: 'string' } })), []);
  });

  test('a type that changes breaks both, one that narrows only writers, through references and circles', () => {
    assert.deepEqual(rules(withOrder({ id: { type: 'integer' } })), [
      'GET /orders/{id}: response-type-widened answer 200: id',
      'POST /orders: request-type-narrowed body: id',
    ]);
    assert.deepEqual(rules(withOrder({ note: { type: 'string' } })), [
      'POST /orders: request-type-narrowed body: note',
    ]);
    const other = { ...line, properties: { ...(line['properties'] as JsonObject), sku: { type: 'number' } } };
    assert.deepEqual(rules(contract({ line: other })), [
      'GET /orders/{id}: response-type-widened answer 200: lines[].sku',
      'POST /orders: request-type-narrowed body: lines[].sku',
    ]);
  });

  test('parameters, bodies, answers and operations', () => {
    assert.deepEqual(rules(contract({ query: { page: { schema: { type: 'integer' }, required: true } } })), [
      'GET /orders/{id}: parameter-required query page',
    ]);
    assert.deepEqual(rules(contract({ query: {} })), []);
    assert.deepEqual(rules(contract(), contract({ withBody: false })), ['POST /orders: body-required body']);
    assert.deepEqual(rules(contract({ answers: { 404: { description: 'None' } } })), [
      'GET /orders/{id}: answer-removed answer 200',
    ]);
    assert.deepEqual(rules(contract(), contract({ more: true })), ['DELETE /orders: operation-removed ']);
    assert.deepEqual(rules(contract({ more: true })), []);
  });

  test('alternatives: one that is gone breaks writers, one that is new breaks readers', () => {
    const pay = (...kinds: string[]): Contract =>
      withOrder({ pay: { oneOf: kinds.map((type) => ({ type })) } });
    assert.deepEqual(rules(pay('string'), pay('string', 'integer')), [
      'POST /orders: request-alternative-removed body: pay',
    ]);
    assert.deepEqual(rules(pay('string', 'integer'), pay('string')), [
      'GET /orders/{id}: response-alternative-added answer 200: pay',
    ]);
  });
});

describe('what breaks a message contract', () => {
  const messages = (action: 'send' | 'receive', schema: JsonObject, ...types: string[]): Contract => ({
    asyncapi: messageContract({
      title: 'order',
      version: '1',
      topics: {
        orders: {
          action,
          summary: 'Orders',
          messages: Object.fromEntries(types.map((type) => [type, { schema }])),
        },
      },
    }),
  });
  const small: JsonObject = { type: 'object', properties: { id: { type: 'string' } } };
  const large: JsonObject = {
    type: 'object',
    required: ['by'],
    properties: { id: { type: 'string' }, by: { type: 'string' } },
  };

  test('what is sent may grow, and what is taken may demand less', () => {
    assert.deepEqual(rules(messages('send', large, 'placed'), messages('send', small, 'placed')), []);
    assert.deepEqual(rules(messages('send', small, 'placed'), messages('send', large, 'placed')), [
      'send orders: response-property-removed placed: by',
    ]);
    assert.deepEqual(rules(messages('receive', large, 'placed'), messages('receive', small, 'placed')), [
      'receive orders: request-property-required placed: by',
    ]);
  });

  test('a kind or a topic that is gone', () => {
    assert.deepEqual(rules(messages('send', small, 'a'), messages('send', small, 'a', 'b')), [
      'send orders: message-removed b',
    ]);
    assert.deepEqual(rules({}, messages('send', small, 'a')), ['send orders: operation-removed ']);
  });
});
