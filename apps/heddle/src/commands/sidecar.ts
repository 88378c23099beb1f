import type { Address } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Locality } from '@heddle/mesh/model';
import { type Command, type Given, usageError } from '../command.ts';
import { readTextFile } from '../node/config-file.ts';
import { machineNameServers } from '../node/outer-names.ts';
import { readAppProbes } from '../inject/app-health.ts';
import { readAddress, readPlanePlace } from '../registry-access.ts';
import { runSidecar, type SidecarRun } from '../sidecar/run-sidecar.ts';

/** `heddle sidecar`. */
export const sidecar: Command = {
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
      help: 'Who is asked by CUSTOM policies, as Istio’s envoyExtAuthzHttp',
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
  run: (given, world) => {
    const dns = given.text('dns') === 'off' ? undefined : addressOf(given, 'dns', '127.0.0.1:15053');
    const run = {
      ...controlPlanesOf(given),
      token: tokenOf(given),
      workload: workloadOf(given),
      locality: localityOf(given),
      inboundAddress: given.text('inbound'),
      ownAddresses: process.platform === 'linux' && !given.flag('shared'),
      dns,
      dnsUpstream: dnsUpstreamOf(given, dns),
      adminPort: given.port('admin-port', 0),
      health: given.text('health') === undefined ? undefined : addressOf(given, 'health', ''),
      probes: readAppProbes(process.env['HEDDLE_APP_PROBES']),
      workloadApi: given.text('workload-api'),
      accessLog: given.flag('access-log'),
      providers: providersOf(given),
    };
    const runtime = nodeRuntime({ name: 'sidecar', dataFolder: given.text('data') ?? '.heddle/sidecar' });
    return runSidecar(run, runtime, world);
  },
};

function controlPlanesOf(given: Given): Pick<SidecarRun, 'controlPlanes' | 'controlPlaneTls'> {
  const text = given.text('control-plane') ?? process.env['HEDDLE_CONTROL_PLANE'] ?? '';
  if (text === '') throw usageError('"heddle sidecar" needs --control-plane HOST:PORT');
  const places = text.split(',').map((each) => readPlanePlace(each.trim(), '--control-plane'));
  const [first] = places;
  if (places.some(({ tls }) => (tls === undefined) !== (first?.tls === undefined)))
    throw usageError(`--control-plane expects all of them with https:// or none, found "${text}"`);
  return { controlPlanes: places.map(({ address }) => address), controlPlaneTls: first?.tls };
}

/** A file is replaced while we run, by whoever renews the token in it. */
function tokenOf(given: Given): () => string {
  const file = given.text('token-file');
  const fixed = process.env['HEDDLE_MESH_TOKEN'] ?? '';
  return file === undefined ? () => fixed : () => readTextFile(file, 'token').trim();
}

function workloadOf(given: Given): string {
  const text = given.text('workload') ?? '';
  if (/^[a-z0-9][a-z0-9.-]*\/[a-zA-Z0-9][\w.-]*$/.test(text)) return text;
  throw usageError(`--workload expects namespace/name, as in shop/order, found "${text}"`);
}

function localityOf(given: Given): Locality | undefined {
  const text = given.text('locality');
  if (text === undefined) return undefined;
  const [region = '', zone = '', subZone = '', ...more] = text.split('/');
  if (region !== '' && more.length === 0) return { region, zone, subZone };
  throw usageError(`--locality expects region/zone/subzone, found "${text}"`);
}

function addressOf(given: Given, option: string, fallback: string): Address {
  return readAddress(given.text(option) ?? fallback, `--${option}`);
}

/** Never our own answers: they would lead in a circle. */
function dnsUpstreamOf(given: Given, own: Address | undefined): Address | undefined {
  if (given.text('dns-upstream') !== undefined) return addressOf(given, 'dns-upstream', '');
  const host = machineNameServers().find((each) => each !== own?.host || own.port !== 53);
  return host === undefined ? undefined : { host, port: 53 };
}

function providersOf(given: Given): ReadonlyMap<string, string> {
  const text = given.text('provider');
  if (text === undefined) return new Map();
  return new Map(
    text.split(',').map((each) => {
      const [, name = '', url = ''] = /^([\w.-]+)=(http:\/\/\S+)$/.exec(each.trim()) ?? [];
      if (name !== '' && URL.canParse(url)) return [name, url] as const;
      throw usageError(`--provider expects NAME=http://host:port/path, found "${each}"`);
    }),
  );
}
