import type { CommandUsage } from '../command.ts';

/** How `heddle route` is called. */
export const routeUsage: CommandUsage = {
  name: 'route',
  summary: 'Say which route of a gateway file serves a request, and why the others do not',
  words: 'explain <method> <path>',
  options: {
    config: {
      type: 'string',
      value: 'FILE',
      help: 'Routes and limits, YAML or JSON; a folder: all its files. Default: gateway.yaml',
    },
    host: { type: 'string', value: 'HOST', help: 'The host that is asked for. Default: localhost' },
    port: {
      type: 'string',
      value: 'PORT',
      help: 'The port of a server with TLS that it comes by. Default: where the gateway listens',
    },
    subject: { type: 'string', value: 'NAME', help: 'Who asks, as a proof would say' },
    zone: { type: 'string', value: 'ZONE', help: 'Where the caller is: a name of "zones" in the file' },
    headers: {
      type: 'string',
      value: 'FIELDS',
      help: 'Header fields, separated by ";": "x-beta: 1; accept: */*"',
    },
    json: { type: 'boolean', help: 'As JSON' },
  },
  examples: ['heddle route explain GET /orders/7 --config gateway.yaml --headers "x-beta: 1"'],
};
