import type { Address } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Locality } from '@heddle/mesh/model';
import { type Command, type Given, usageError } from '../command.ts';
import { readTextFile } from '../node/config-file.ts';
import { machineNameServers } from '../node/outer-names.ts';
import { readAppProbes } from '../inject/app-health.ts';
import { readAddress, readPlanePlace } from '../registry-access.ts';
import { runSidecar, type SidecarRun } from '../sidecar/run-sidecar.ts';
import { sidecarUsage } from './sidecar.usage.ts';

/** `heddle sidecar`. */
export const sidecar: Command = {
  ...sidecarUsage,
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
      const [, name = '', url = ''] = /^([\w.-]+)=((?:opa\+)?http:\/\/\S+)$/.exec(each.trim()) ?? [];
      if (name !== '' && URL.canParse(url)) return [name, url] as const;
      throw usageError(
        `--provider expects NAME=http://host:port/path or NAME=opa+http://host:port/v1/data/package/rule, found "${each}"`,
      );
    }),
  );
}
