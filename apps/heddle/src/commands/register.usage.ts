import type { CommandUsage } from '../command.ts';
import { registryOptions } from '../shared-options.ts';

/** How `heddle register` is called. */
export const registerUsage: CommandUsage = {
  name: 'register',
  summary: 'Register an instance, and keep it registered until told to stop',
  words: '<service> <host:port>',
  options: {
    id: { type: 'string', value: 'ID', help: 'Default <service>@<host:port>' },
    version: { type: 'string', value: 'TEXT', help: 'Of the service, e.g. v2' },
    zone: { type: 'string', value: 'NAME', help: 'Default "default"' },
    region: { type: 'string', value: 'NAME', help: 'Default "default"' },
    weight: { type: 'string', value: 'NUMBER', help: 'Share of the load; default 100' },
    tags: { type: 'string', value: 'A,B', help: 'Its tags' },
    metadata: { type: 'string', value: 'A=B,C=D', help: 'Its metadata' },
    protocol: { type: 'string', value: 'NAME', help: 'grpc (default), http or tcp' },
    for: {
      type: 'string',
      value: 'SECONDS',
      help: 'Take it back then; default: on Ctrl-C',
    },
    ...registryOptions,
  },
  examples: [
    'heddle register billing 10.0.0.7:8080 --protocol http --zone eu-1',
    'heddle register billing 10.0.0.7:8080 --registry etcd://10.0.0.1:2379 --for 60',
  ],
};
