// Documents before the AsyncAPI Initiative's own parser; and both sides of a message, over a broker.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { operationsOf } from '@heddle/api';
import { Parser } from '@asyncapi/parser';
import type { Contract } from '../result.ts';
import { shelves, suiteOf } from './cases.ts';

const require = createRequire(import.meta.url);

function version(): string {
  return (require('@asyncapi/parser/package.json') as { version: string }).version;
}

async function errorsOf(document: unknown): Promise<string[]> {
  const { diagnostics } = await new Parser().parse(JSON.parse(JSON.stringify(document)) as object as never);
  // 0 is an error; what is above is advice.
  return diagnostics
    .filter(({ severity }) => severity === 0)
    .map(({ message, path }) => `${path.join('.')}: ${message}`);
}

/** What is made is AsyncAPI 3, and the parser would say so if it were not. */
export const asyncapiContract: Contract = suiteOf('asyncapi', version, {
  'a document with messages both ways has no errors': async () => {
    assert.deepEqual(await errorsOf(shelves.asyncapi), []);
  },
  'the parser finds in it the operations, topics and messages that we do': async () => {
    const { document } = await new Parser().parse(
      JSON.parse(JSON.stringify(shelves.asyncapi)) as object as never,
    );
    const theirs = (document?.operations().all() ?? []).map(
      (one) =>
        `${one.action()} ${one.channels().all()[0]?.address() ?? ''}: ${one
          .messages()
          .all()
          .map((message) => message.name())
          .join(' ')}`,
    );
    const ours = operationsOf({ asyncapi: shelves.asyncapi }).map((one) =>
      one.kind === 'message' ? `${one.id}: ${one.messages.map(([type]) => type).join(' ')}` : '',
    );
    assert.deepEqual(theirs, ours);
  },
  'the parser refuses a document that is none': async () => {
    const { info: _, ...broken } = shelves.asyncapi ?? {};
    assert.match((await errorsOf(broken)).join(), /info/);
  },
});
