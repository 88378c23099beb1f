import type { CommandUsage } from '../command.ts';

/** How `heddle sidecar` is called. */
export const sidecarUsage: CommandUsage = {
  name: 'sidecar',
  summary: 'Run the mesh’s proxy beside an application',
  words: '',
  options: {
    'control-plane': {
      type: 'string',
      value: 'HOST:PORT,…',
      help: 'Control planes of the mesh; one is asked until it fails, then the next; https://HOST:PORT with TLS; default HEDDLE_CONTROL_PLANE',
    },
    workload: { type: 'string', value: 'NAMESPACE/NAME', help: 'Whose side it is' },
    'token-file': {
      type: 'string',
      value: 'FILE',
      help: 'The token of its service account, read anew whenever it is needed; default: HEDDLE_MESH_TOKEN, a bootstrap token',
    },
    locality: {
      type: 'string',
      value: 'REGION/ZONE/SUBZONE',
      help: 'Where it runs, if the rules do not say',
    },
    inbound: {
      type: 'string',
      value: 'ADDRESS',
      help: 'Where callers come to, instead of any address: the application may then have the same port on 127.0.0.1',
    },
    shared: {
      type: 'boolean',
      help: 'All services at 127.0.0.1, told apart by name, instead of each at a loopback address of its own',
    },
    dns: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'Where it answers for the names of services; default 127.0.0.1:15053; "off": nowhere',
    },
    'dns-upstream': {
      type: 'string',
      value: 'HOST:PORT',
      help: 'Who knows all other names; default the first server of /etc/resolv.conf that is not this one',
    },
    provider: {
      type: 'string',
      value: 'NAME=URL,…',
      help: 'Who is asked by CUSTOM policies: http://…, as Istio’s envoyExtAuthzHttp; opa+http://HOST:PORT/v1/data/…, Open Policy Agent',
    },
    'admin-port': {
      type: 'string',
      value: 'PORT',
      help: '/metrics and /ready on 127.0.0.1; default: any free one',
    },
    health: {
      type: 'string',
      value: 'HOST:PORT',
      help: 'Where kubelets ask: /healthz/ready, /stats/prometheus, and the probes that heddle inject has led here; default nowhere',
    },
    'workload-api': {
      type: 'string',
      value: 'PATH',
      help: 'A Unix socket with SPIFFE’s Workload API, for the workload’s own user and group; default none',
    },
    'access-log': { type: 'boolean', help: 'A line for each request on standard output, as JSON' },
    data: {
      type: 'string',
      value: 'DIR',
      help: 'Where identity and last good rules are kept; default .heddle/sidecar',
    },
  },
  examples: [
    'HEDDLE_MESH_TOKEN=… heddle sidecar --control-plane 10.0.0.5:8090 --workload shop/order --inbound 10.0.0.7',
  ],
};
