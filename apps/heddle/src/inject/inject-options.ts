import type { Address } from '@heddle/kernel';
import { defaultImages, defaultResources, type InjectSettings, type ProxyKind } from '@heddle/mesh/inject';
import { type Given, usageError } from '../command.ts';

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
