import type { CommandUsage } from '../command.ts';

/** How `heddle up` is called. */
export const upUsage: CommandUsage = {
  name: 'up',
  summary: 'Start everything on this machine: control plane, console, gateway, and the demo shop on request',
  words: '',
  options: {
    shop: { type: 'boolean', help: 'Start the demo shop too: PostgreSQL, seven services twice, customers' },
    'no-load': { type: 'boolean', help: 'With --shop: without the customers' },
    checkout: {
      type: 'string',
      value: 'KIND',
      help: 'With --shop: how an order is carried out: steps, saga, tcc or 2pc; default steps',
    },
    config: {
      type: 'string',
      value: 'FILE',
      help: "The gateway's configuration; default: the shop's, or no routes",
    },
    port: { type: 'string', value: 'PORT', help: 'Of the gateway; default 8080, 0: any free one' },
    'console-port': {
      type: 'string',
      value: 'PORT',
      help: 'Of console and registry; default 8090, 0: any free one',
    },
    alerts: { type: 'string', value: 'DIR', help: 'Rules of alerts and who is told (docs/observability.md)' },
    mesh: {
      type: 'string',
      value: 'DIR',
      help: 'Rules of a mesh that the control plane serves (docs/mesh.md)',
    },
    data: { type: 'string', value: 'DIR', help: 'Data, logs and the lock; default .heddle' },
  },
  examples: [
    'heddle up --shop',
    'heddle up --config gateway.yaml --port 9080 --console-port 9090',
    'heddle up --shop --data /tmp/shop --port 0 --console-port 0',
  ],
};
