// What the suites of API management share: a contract of all kinds, and how cases are run.
import { descriptorsOf, type Contract as ApiContract, httpContract, messageContract } from '@heddle/api';
import { TestService } from '../wire/interop/gen/grpc/testing/test_pb.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';

/** Cases by name. */
export type Cases = Readonly<Record<string, () => Promise<void>>>;

/** A suite of cases that need nothing but this machine. */
export function suiteOf(backend: string, version: () => string, cases: Cases): Contract {
  return {
    backend,
    run: async (only = () => true) => {
      const results: ContractResult[] = [];
      for (const [name, run] of Object.entries(cases))
        if (only(name)) results.push(await resultOf(backend, version(), name, run));
      return results;
    },
  };
}

const text = { type: 'string' } as const;

/** Shelves over HTTP, gRPC's own test service with its four patterns, and messages both ways. */
export const shelves: ApiContract = {
  openapi: httpContract({
    title: 'shelves',
    version: '1.0.0',
    description: 'What stands where',
    schemas: {
      Shelf: {
        type: 'object',
        required: ['id', 'theme'],
        properties: {
          id: { ...text, format: 'uuid' },
          theme: { ...text, minLength: 3 },
          books: { type: 'array', items: { $ref: '#/components/schemas/Book' } },
          kind: { enum: ['open', 'locked'] },
          opened: { ...text, format: 'date-time' },
        },
      },
      Book: {
        type: 'object',
        required: ['title'],
        properties: {
          title: text,
          pages: { type: 'integer', minimum: 1 },
          next: { oneOf: [{ $ref: '#/components/schemas/Book' }, { type: 'null' }] },
        },
      },
    },
    operations: {
      'GET /shelves': {
        name: 'listShelves',
        summary: 'All shelves',
        query: {
          page: { schema: { type: 'integer', minimum: 1 } },
          tag: { schema: { type: 'array', items: text } },
        },
        headers: { 'x-tenant': { schema: text, required: true } },
        answers: {
          200: {
            description: 'A page',
            schema: { type: 'array', items: { $ref: '#/components/schemas/Shelf' } },
          },
        },
      },
      'POST /shelves': {
        name: 'addShelf',
        summary: 'A new shelf',
        body: { schema: { $ref: '#/components/schemas/Shelf' } },
        answers: { 201: { description: 'Added', schema: { $ref: '#/components/schemas/Shelf' } } },
      },
      'GET /shelves/{id}': {
        name: 'getShelf',
        summary: 'One shelf',
        answers: {
          200: { description: 'It', schema: { $ref: '#/components/schemas/Shelf' } },
          404: { description: 'None', schema: { type: 'object', properties: { reason: text } } },
        },
      },
      'DELETE /shelves/{id}': {
        name: 'removeShelf',
        summary: 'Away with it',
        answers: { 204: { description: 'Gone' } },
      },
    },
  }),
  asyncapi: messageContract({
    title: 'shelves',
    version: '1.0.0',
    topics: {
      'shelves.events': {
        action: 'send',
        summary: 'What became of shelves',
        messages: {
          'shelf.added': {
            schema: { type: 'object', required: ['id'], properties: { id: text } },
            example: { id: 's1' },
          },
          'shelf.removed': {
            schema: { type: 'object', required: ['id'], properties: { id: text, by: text } },
          },
        },
      },
      'shelves.orders': {
        action: 'receive',
        summary: 'What is to be done with them',
        messages: {
          'shelf.dust': {
            schema: { type: 'object', required: ['id'], properties: { id: text, wet: { type: 'boolean' } } },
          },
        },
      },
    },
  }),
  descriptors: descriptorsOf([TestService]),
  services: [TestService.typeName],
};
