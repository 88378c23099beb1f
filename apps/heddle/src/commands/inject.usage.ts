import type { CommandUsage } from '../command.ts';
import { injectOptions } from '../shared-options.ts';

/** How `heddle inject` is called. */
export const injectUsage: CommandUsage = {
  name: 'inject',
  summary: 'Add sidecars to manifests of Kubernetes, or run the webhook that does so in a cluster',
  words: '[file, folder or -]...',
  options: {
    ...injectOptions,
    namespace: { type: 'string', value: 'NAME', help: 'Of objects that name none; default "default"' },
    write: { type: 'boolean', help: 'Into the files themselves, instead of to the output' },
    webhook: {
      type: 'boolean',
      help: 'Serve an API server’s questions (docs/mesh.md), instead of reading files',
    },
    port: { type: 'string', value: 'PORT', help: 'With --webhook: where to listen; default 8443' },
    host: {
      type: 'string',
      value: 'HOST',
      help: 'With --webhook: the address to listen on; default 127.0.0.1',
    },
    'tls-cert': {
      type: 'string',
      value: 'FILE',
      help: 'With --webhook: its certificate, PEM; read again when it changes',
    },
    'tls-key': { type: 'string', value: 'FILE', help: 'With --webhook: the key of the certificate, PEM' },
    'client-ca': {
      type: 'string',
      value: 'FILE',
      help: 'With --webhook: only API servers with a certificate of this authority are answered',
    },
  },
  examples: [
    'heddle inject deploy/web.yaml | kubectl apply -f -',
    'heddle inject --proxy envoy --write deploy/',
    'heddle inject --webhook --host 0.0.0.0 --tls-cert tls.crt --tls-key tls.key',
  ],
};
