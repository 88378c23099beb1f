// Documents before the schema that the OpenAPI Initiative publishes, as its validator for npm carries it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { httpContract, type JsonObject } from '@heddle/api';
import { Validator } from '@seriousme/openapi-schema-validator';
import { shopHttpContract } from '../../../examples/shop/src/http-contracts.ts';
import type { Contract } from '../result.ts';
import { shelves, suiteOf } from './cases.ts';

const services = ['user', 'product', 'inventory', 'payment', 'shipping', 'notification', 'order'] as const;
const require = createRequire(import.meta.url);

function version(): string {
  return (require('@seriousme/openapi-schema-validator/package.json') as { version: string }).version;
}

async function validate(document: JsonObject | undefined): Promise<string> {
  const copy = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
  const validator = new Validator();
  const { valid, errors } = await validator.validate(copy);
  assert.equal(validator.version, '3.1');
  return valid ? '' : JSON.stringify(errors);
}

/** What is made is OpenAPI 3.1, and the validator would say so if it were not. */
export const openapiContract: Contract = suiteOf('openapi', version, {
  'a document with references, parameters everywhere and circles': async () => {
    assert.equal(await validate(shelves.openapi), '');
  },
  'the documents of all seven services of the shop': async () => {
    for (const service of services)
      assert.equal(await validate(httpContract(shopHttpContract(service, 'v1'))), '', service);
  },
  'schemas of validators that keep to Standard JSON Schema': async () => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        jsonSchema: {
          input: () => ({ type: 'string', format: 'date' }),
          output: () => ({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' }),
        },
      },
    };
    const document = httpContract({
      title: 'standard',
      version: '1',
      operations: {
        'PUT /x': { summary: 'X', body: { schema }, answers: { 200: { description: 'X', schema } } },
      },
    });
    assert.equal(await validate(document), '');
    const text = JSON.stringify(document);
    assert.ok(
      text.includes('"format":"date"') && text.includes('"type":"object"') && !text.includes('$schema'),
    );
  },
  'the validator refuses a document that is none': async () => {
    const { info: _, ...broken } = shelves.openapi ?? {};
    assert.match(await validate(broken), /info/);
  },
});
