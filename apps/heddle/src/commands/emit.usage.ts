import type { CommandUsage } from '../command.ts';
import { brokerOption } from '../shared-options.ts';

/** How `heddle emit` is called. */
export const emitUsage: CommandUsage = {
  name: 'emit',
  summary: 'Send a message to a topic, or one for each line of the input; ask a query',
  words: '<topic> [payload]',
  options: {
    broker: brokerOption,
    key: { type: 'string', value: 'KEY', help: 'What is to stay in order; empty if left out' },
    kind: { type: 'string', value: 'KIND', help: 'command, event or query; default event' },
    type: { type: 'string', value: 'TYPE', help: 'What happened, e.g. order.placed; default: the topic' },
    'content-type': { type: 'string', value: 'TYPE', help: 'Of the payload; default application/json' },
    headers: { type: 'string', value: 'JSON', help: 'Headers, as a JSON object of strings' },
    after: { type: 'string', value: 'SECONDS', help: 'Deliver it so much later' },
    lines: { type: 'boolean', help: 'Send each line of standard input as a message' },
    timeout: {
      type: 'string',
      value: 'SECONDS',
      help: 'How long to try, or to wait for an answer; default 10',
    },
    json: { type: 'boolean', help: 'As JSON' },
  },
  examples: [
    `heddle emit orders '{"id":"7"}' --key 7 --type order.placed`,
    'heddle emit orders < order.json',
    'heddle emit orders --lines < orders.ndjson',
    `heddle emit prices '{"sku":"a"}' --kind query   # waits for the answer, and prints it`,
  ],
};
