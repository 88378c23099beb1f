import type { Consumption, HttpContractInit, HttpOperation, JsonSchema } from '@heddle/api';
import type { ServiceName } from './service-name.ts';

// What each service serves over HTTP, for the catalogue. `http-contracts.it.test.ts` holds the answers of the running
// services to it.

const text: JsonSchema = { type: 'string' };
const whole: JsonSchema = { type: 'integer' };

/** An object whose members are all required, but for those that are named as optional. */
function object(properties: Record<string, JsonSchema>, optional: readonly string[] = []): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required };
}

function listOf(items: JsonSchema, more: JsonSchema = {}): JsonSchema {
  return { type: 'array', items, ...more };
}

function schemaNamed(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

const money = object({ currency: text, minor: whole }, ['currency']);

const problem = object({ title: text, status: whole, detail: text, reason: text });

const refused = {
  400: {
    description: 'Something in the request is wrong',
    schema: schemaNamed('Problem'),
    mediaType: 'application/problem+json',
  },
};

const unknown = {
  404: {
    description: 'There is none',
    schema: schemaNamed('Problem'),
    mediaType: 'application/problem+json',
  },
};

const user = object({
  userId: { ...text, examples: ['u00001'] },
  name: text,
  email: { ...text, format: 'email' },
  address: schemaNamed('Address'),
});

const address = object({
  street: text,
  postcode: text,
  city: text,
  country: { ...text, minLength: 2, maxLength: 2, examples: ['DE'] },
});

const product = object({
  productId: { ...text, examples: ['p00001'] },
  name: text,
  category: text,
  weightGrams: whole,
  price: money,
});

const item = object({
  productId: { ...text, examples: ['p00001'] },
  quantity: { ...whole, minimum: 1, maximum: 100 },
});

const order = object(
  {
    orderId: text,
    userId: text,
    state: { enum: ['placed', 'priced', 'reserved', 'paid', 'confirmed', 'cancelling', 'rejected'] },
    reason: text,
    items: listOf(schemaNamed('Item')),
    lines: listOf(object({ productId: text, name: text, quantity: whole, unit: money })),
    shipping: money,
    total: money,
    paymentId: text,
    trackingCode: text,
  },
  ['reason', 'lines', 'shipping', 'total', 'paymentId', 'trackingCode'],
);

const notice = object({ noticeId: text, userId: text, orderId: text, subject: text, text });

const idempotencyKey = { schema: text, description: 'The same key again is the same request' };

/** One thing by its id. */
function one(summary: string, schema: JsonSchema): HttpOperation {
  return { summary, answers: { 200: { description: 'Found', schema }, ...unknown } };
}

type Described = Pick<HttpContractInit, 'operations' | 'schemas'>;

const described: Readonly<Record<ServiceName, Described>> = {
  user: {
    schemas: { User: user, Address: address },
    operations: {
      'GET /users/{userId}': {
        name: 'getUser',
        ...one('Somebody who buys', schemaNamed('User')),
        path: { userId: { schema: text, example: 'u00001' } },
      },
      'POST /users': {
        name: 'addUser',
        summary: 'A new customer',
        headers: { 'idempotency-key': idempotencyKey },
        body: {
          schema: object({
            name: text,
            email: { ...text, format: 'email' },
            address: schemaNamed('Address'),
          }),
        },
        answers: {
          201: { description: 'Added', schema: schemaNamed('User') },
          200: { description: 'Was added by the same key before', schema: schemaNamed('User') },
          ...refused,
        },
      },
    },
  },
  product: {
    schemas: { Product: product },
    operations: {
      'GET /products': {
        name: 'listProducts',
        summary: 'Products by word, category and page',
        query: {
          query: { schema: text, description: 'Words to look for' },
          category: { schema: text },
          page: { schema: { ...whole, minimum: 1 } },
          size: { schema: { ...whole, minimum: 1, maximum: 100 } },
        },
        answers: {
          200: {
            description: 'A page',
            schema: object({
              page: whole,
              size: whole,
              total: whole,
              products: listOf(schemaNamed('Product')),
            }),
          },
          ...refused,
        },
      },
      'GET /products/{productId}': {
        name: 'getProduct',
        ...one('A product, and how much of it is on the shelf', {
          allOf: [schemaNamed('Product'), object({ available: { type: ['integer', 'null'] } })],
        }),
        path: { productId: { schema: text, example: 'p00001' } },
      },
    },
  },
  inventory: {
    operations: {
      'GET /stock/{productId}': {
        name: 'getStock',
        summary: 'What is on the shelf',
        path: { productId: { schema: text, example: 'p00001' } },
        answers: { 200: { description: 'How much', schema: object({ productId: text, available: whole }) } },
      },
    },
  },
  payment: {
    operations: {
      'GET /payments/{orderId}': {
        name: 'getPayment',
        ...one(
          'The payment for an order',
          object({
            orderId: text,
            paymentId: text,
            state: { enum: ['charged', 'refunded', 'cancelled'] },
            amount: money,
          }),
        ),
      },
    },
  },
  shipping: {
    operations: {
      'GET /shipments/{orderId}': {
        name: 'getShipment',
        ...one(
          'The parcel of an order',
          object({
            orderId: text,
            trackingCode: text,
            recipient: text,
            destination: text,
            weightGrams: whole,
            days: whole,
            state: { enum: ['created', 'cancelled'] },
          }),
        ),
      },
    },
  },
  notification: {
    schemas: { Notice: notice },
    operations: {
      'POST /notifications': {
        name: 'notify',
        summary: 'Writes to a customer, once for each key',
        headers: { 'idempotency-key': { ...idempotencyKey, required: true } },
        body: {
          schema: object({ userId: text, orderId: text, name: text, total: text, trackingCode: text }),
        },
        answers: {
          201: { description: 'Written', schema: object({ created: { type: 'boolean' } }) },
          200: {
            description: 'Was written by the same key before',
            schema: object({ created: { type: 'boolean' } }),
          },
          ...refused,
        },
      },
      'GET /notifications': {
        name: 'listNotices',
        summary: 'Letters to a user, or about an order',
        query: { userId: { schema: text }, orderId: { schema: text } },
        answers: {
          200: {
            description: 'The newest first',
            schema: object({ notices: listOf(schemaNamed('Notice')) }),
          },
          ...refused,
        },
      },
    },
  },
  order: {
    schemas: { Order: order, Item: item },
    operations: {
      'POST /orders': {
        name: 'placeOrder',
        summary: 'Orders something',
        headers: { 'idempotency-key': idempotencyKey },
        body: {
          schema: object(
            {
              userId: { ...text, examples: ['u00001'] },
              method: text,
              items: listOf(schemaNamed('Item'), { minItems: 1, maxItems: 20 }),
            },
            ['method'],
          ),
          example: { userId: 'u00001', items: [{ productId: 'p00001', quantity: 1 }] },
        },
        answers: {
          201: { description: 'Confirmed', schema: schemaNamed('Order') },
          409: { description: 'Rejected, or a no of the business', schema: { type: 'object' } },
          ...refused,
        },
      },
      'GET /orders/{orderId}': { name: 'getOrder', ...one('An order', schemaNamed('Order')) },
    },
  },
};

/** What is called over HTTP; the calls over gRPC are seen. */
const consumed: Readonly<Partial<Record<ServiceName, readonly Consumption[]>>> = {
  order: [{ service: 'notification', operations: ['POST /notifications'] }],
};

/** The HTTP contract of a service of the shop. */
export function shopHttpContract(name: ServiceName, version: string): HttpContractInit {
  const { operations, schemas = {} } = described[name];
  return { title: `shop: ${name}`, version, operations, schemas: { ...schemas, Problem: problem } };
}

/** What a service of the shop says that it calls. */
export function shopConsumes(name: ServiceName): readonly Consumption[] | undefined {
  return consumed[name];
}
