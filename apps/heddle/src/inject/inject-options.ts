import type { Address } from '@heddle/kernel';
import { defaultImages, defaultResources, type InjectSettings, type ProxyKind } from '@heddle/mesh/inject';
import { type Given, usageError } from '../command.ts';

/** What was given of them. Throws a usage error. */
export function injectSettings(given: Given): InjectSettings {
  const proxy = proxyOf(given.text('proxy') ?? 'heddle');
  const [name = '', key = '', ...more] = (
    given.text('token-secret') ?? 'heddle-mesh-{serviceAccount}/token'
  ).split('/');
  if (name === '' || key === '' || more.length > 0)
    throw usageError(`--token-secret expects NAME/KEY, found "${given.text('token-secret')}"`);
  return {
    proxy,
    image: given.text('image') ?? defaultImages[proxy],
    controlPlane: placeOf(given.text('control-plane') ?? 'heddle-control-plane.heddle:8090'),
    tokenSecret: { name, key },
    accountTokens: accountTokensOf(given, proxy),
    dnsServer: dnsOf(given),
    byDefault: !given.flag('by-label'),
    native: !given.flag('beside'),
    resources: defaultResources,
  };
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
