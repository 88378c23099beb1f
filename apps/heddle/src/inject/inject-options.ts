import type { Address } from '@heddle/kernel';
import { defaultImages, defaultResources, type InjectSettings, type ProxyKind } from '@heddle/mesh/inject';
import { type CommandOption, type Given, usageError } from '../command.ts';

/** Options that say what is put beside an application. */
export const injectOptions: Readonly<Record<string, CommandOption>> = {
  proxy: { type: 'string', value: 'NAME', help: 'heddle (default) or envoy, which gets all it does by xDS' },
  image: { type: 'string', value: 'IMAGE', help: 'Of the sidecar; default that of the proxy' },
  'control-plane': {
    type: 'string',
    value: 'HOST:PORT',
    help: 'As sidecars find it; default heddle-control-plane.heddle:8090',
  },
  'control-plane-roots': {
    type: 'string',
    value: 'NAME/KEY',
    help: 'The ConfigMap of each namespace with the roots of a control plane that speaks TLS (--tls); default: plaintext',
  },
  'account-tokens': {
    type: 'boolean',
    help: 'Sidecars show the tokens of their service accounts, which a control plane with --mesh k8s: takes, instead of a secret',
  },
  'token-secret': {
    type: 'string',
    value: 'NAME/KEY',
    help: 'The secret of each namespace with the bootstrap token of a service account; default heddle-mesh-{serviceAccount}/token',
  },
  dns: {
    type: 'string',
    value: 'ADDRESS',
    help: 'The cluster’s own DNS: pods then ask their sidecars for names; default: they are not led there',
  },
  'by-label': {
    type: 'boolean',
    help: 'Only what a label or annotation asks for (sidecar.istio.io/inject, istio-injection)',
  },
  beside: {
    type: 'boolean',
    help: 'As a container beside the application, for clusters older than Kubernetes 1.29',
  },
};

/** What was given of them. Throws a usage error. */
export function injectSettings(given: Given): InjectSettings {
  const proxy = proxyOf(given.text('proxy') ?? 'heddle');
  const roots = given.text('control-plane-roots');
  return {
    proxy,
    image: given.text('image') ?? defaultImages[proxy],
    controlPlane: placeOf(given.text('control-plane') ?? 'heddle-control-plane.heddle:8090'),
    controlPlaneRoots: roots === undefined ? undefined : entryOf('--control-plane-roots', roots),
    tokenSecret: entryOf(
      '--token-secret',
      given.text('token-secret') ?? 'heddle-mesh-{serviceAccount}/token',
    ),
    accountTokens: accountTokensOf(given, proxy),
    dnsServer: dnsOf(given),
    byDefault: !given.flag('by-label'),
    native: !given.flag('beside'),
    resources: defaultResources,
  };
}

/** An entry of a Secret or ConfigMap. */
function entryOf(option: string, written: string): { readonly name: string; readonly key: string } {
  const [name = '', key = '', ...more] = written.split('/');
  if (name !== '' && key !== '' && more.length === 0) return { name, key };
  throw usageError(`${option} expects NAME/KEY, found "${written}"`);
}

/** Envoy is given its token when it starts, and these are renewed. */
function accountTokensOf(given: Given, proxy: ProxyKind): boolean {
  if (!given.flag('account-tokens')) return false;
  if (proxy === 'envoy') throw usageError('--account-tokens is for --proxy heddle, which reads them anew');
  if (given.text('token-secret') !== undefined)
    throw usageError('--account-tokens and --token-secret exclude each other');
  return true;
}

function dnsOf(given: Given): string | undefined {
  const written = given.text('dns');
  if (written === undefined || /^(?:\d{1,3}\.){3}\d{1,3}$|^[\da-f:.]*:[\da-f:.]*$/i.test(written))
    return written;
  throw usageError(`--dns expects an address such as 10.96.0.10, found "${written}"`);
}

function proxyOf(written: string): ProxyKind {
  if (written === 'heddle' || written === 'envoy') return written;
  throw usageError(`--proxy expects heddle or envoy, found "${written}"`);
}

function placeOf(written: string): Address {
  const [, host = '', port = ''] = /^([A-Za-z0-9.-]+):(\d{1,5})$/.exec(written) ?? [];
  if (host !== '' && Number(port) > 0 && Number(port) < 65_536) return { host, port: Number(port) };
  throw usageError(`--control-plane expects HOST:PORT, found "${written}"`);
}
