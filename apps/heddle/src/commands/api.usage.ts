import type { CommandUsage } from '../command.ts';
import { registryOptions, planeOptions, brokerOption } from '../shared-options.ts';

/** How `heddle api` is called. */
export const apiUsage: CommandUsage = {
  name: 'api',
  summary: 'The contracts of all services: search, compare, check, try, mock, clients, keys',
  words:
    'list | search WORDS | show|versions|contract SERVICE | diff SERVICE [FROM TO] | check OLD NEW | quarantine | approve SERVICE CONTRACT | call SERVICE OPERATION [name=value…] | mock|client SERVICE|FILE | snippet SERVICE OPERATION | key create|revoke ID | key list',
  options: {
    ...registryOptions,
    ...planeOptions,
    broker: brokerOption,
    category: { type: 'string', value: 'NAME', help: 'check: PACKAGE (default), WIRE_JSON or WIRE, of buf' },
    body: {
      type: 'string',
      value: 'JSON',
      help: 'call: what goes in; -: from the input, a message on each line',
    },
    header: { type: 'string', value: '"NAME: VALUE"', help: 'call: further fields, with ";" between' },
    target: { type: 'string', value: 'URL', help: 'call: static:///host:port, instead of by the registry' },
    type: { type: 'string', value: 'TYPE', help: 'call: which of several messages' },
    count: { type: 'string', value: 'NUMBER', help: 'call: messages to wait for; default 1' },
    port: {
      type: 'string',
      value: 'PORT',
      help: 'mock: where to listen on 127.0.0.1; default 0: any free one',
    },
    lang: { type: 'string', value: 'NAME', help: 'snippet: curl, typescript, grpcurl or heddle' },
    base: {
      type: 'string',
      value: 'URL',
      help: 'snippet: where the service is; default http://127.0.0.1:8080',
    },
    out: { type: 'string', value: 'DIR', help: 'client: where its files go' },
    role: { type: 'string', value: 'NAMES', help: 'key create: with commas between' },
    scope: { type: 'string', value: 'NAMES', help: 'key create: with commas between' },
    quota: {
      type: 'string',
      value: 'COUNT/TIME',
      help: 'key create: requests per second, minute, hour or day',
    },
    expires: { type: 'string', value: 'TIME', help: 'key create: as in 2030-01-31T00:00:00Z' },
    by: { type: 'string', value: 'WHO', help: 'approve, key: for the history; default USER' },
  },
  examples: [
    'heddle api search order',
    'heddle api check openapi.main.yaml openapi.yaml   # exit code 1 if it breaks somebody',
    'heddle api call order "GET /orders/{orderId}" orderId=o-1',
    'heddle api call user shop.user.v1.UserService/GetUser --body \'{"userId":"u00001"}\'',
    'heddle api mock openapi.yaml --port 9000',
    'heddle api client order --out src/order',
    'heddle api key create ci --quota 10000/day',
  ],
};
