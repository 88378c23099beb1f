import type { CommandUsage } from '../command.ts';

/** How `heddle gateway` is called. */
export const gatewayUsage: CommandUsage = {
  name: 'gateway',
  summary: 'Run a gateway from a configuration file, or check one: prints every problem with line and column',
  words: '[check]',
  options: {
    config: {
      type: 'string',
      value: 'FILE',
      help: 'Routes and limits, YAML or JSON; a folder: all its files',
    },
    port: { type: 'string', value: 'PORT', help: 'Where to listen, instead of listen.port of the file' },
    workers: {
      type: 'string',
      value: 'COUNT',
      help: 'Processes that serve, under one that replaces those that die; default one for each core, at least 2. 1: one process in all',
    },
    'admin-port': {
      type: 'string',
      value: 'PORT',
      help: 'Where operators ask on 127.0.0.1, with the token in HEDDLE_ADMIN_TOKEN; default: any free one',
    },
    registry: {
      type: 'string',
      value: 'URL',
      help: 'For discovery:/// upstreams: a control plane’s host:port or https://host:port, or e.g. consul://host:8500',
    },
    data: { type: 'string', value: 'DIR', help: 'Where its last good settings are kept; default .heddle' },
    check: { type: 'boolean', help: 'The same as the word "check"' },
  },
  examples: [
    'heddle gateway --config gateway.yaml --registry 127.0.0.1:8090',
    'heddle gateway check --config gateway.yaml',
  ],
};
