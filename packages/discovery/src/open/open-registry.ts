import type { Runtime, TlsMaterial } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';
import type { DriverWorld, RegistryDriver } from './driver.ts';
import { drivers } from './drivers.ts';
import { badUrl, parseRegistryUrl, type RegistryUrl } from './registry-url.ts';

/** What opening a registry takes. */
export interface OpenRegistryOptions {
  readonly runtime: Runtime;
  /** The token or password, unless the URL names a file with it (`secret-file`). */
  readonly secret?: string | undefined;
  readonly readText: DriverWorld['readText'];
  readonly variable: DriverWorld['variable'];
}

const common: Readonly<Record<string, string>> = {
  user: 'whose the secret is',
  'secret-file': 'a file with the token or password',
  ttl: 'the lease of what is registered, in milliseconds',
  'ca-file': 'PEM of the authorities to believe (+tls)',
  'cert-file': 'PEM of our certificate (+tls)',
  'key-file': 'PEM of its key (+tls)',
  'server-name': 'what the server’s certificate is for, if not the host (+tls)',
};

/**
 * The registry that a URL names (see `parseRegistryUrl`), of whatever backend. Asks no server until it is used.
 * Rejects with `invalid_argument` / `BAD_REGISTRY_URL`, which lists every unknown or wrong parameter, or with what is
 * wrong with a file that the URL names.
 */
export async function openRegistryUrl(text: string, options: OpenRegistryOptions): Promise<Registry> {
  const url = parseRegistryUrl(text);
  const driver = await drivers[url.backend]();
  checkParameters(url, driver);
  return driver.open(url, await worldOf(url, options));
}

function checkParameters(url: RegistryUrl, driver: RegistryDriver): void {
  const known = { ...common, ...driver.parameters };
  const names = Object.keys(known).join(', ');
  const problems: string[] = [];
  for (const [name, value] of url.parameters) {
    if (!Object.hasOwn(known, name)) problems.push(`expected one of ${names}, found "${name}"`);
    else if (value === '') problems.push(`${name}: expected ${known[name]}, found nothing`);
  }
  const ttl = url.parameters.get('ttl');
  if (ttl !== undefined && !(/^\d{1,7}$/.test(ttl) && Number(ttl) >= 1000 && Number(ttl) <= 3_600_000)) {
    problems.push(`ttl: expected a whole number from 1000 to 3600000, found "${ttl}"`);
  }
  const isOwn = (name: string): boolean => url.parameters.has(name);
  if (!url.secure && ['ca-file', 'cert-file', 'key-file', 'server-name'].some(isOwn)) {
    problems.push(`certificates are for TLS, and the scheme does not end with "+tls"`);
  }
  if (isOwn('cert-file') !== isOwn('key-file')) problems.push('expected cert-file and key-file together');
  if (problems.length > 0) throw badUrl(url.text, problems);
}

/** All that a driver gets beside the URL. Rejects with what is wrong with a file that the URL names. */
export async function worldOf(url: RegistryUrl, options: OpenRegistryOptions): Promise<DriverWorld> {
  const { runtime, readText, variable } = options;
  const read = async (name: string): Promise<string | undefined> => {
    const path = url.parameters.get(name);
    return path === undefined ? undefined : readText(path);
  };
  const secret = (await read('secret-file'))?.trim() ?? options.secret;
  const [trust, certificates, privateKey] = [
    await read('ca-file'),
    await read('cert-file'),
    await read('key-file'),
  ];
  const identities =
    certificates === undefined || privateKey === undefined ? [] : [{ certificates, privateKey }];
  const current: TlsMaterial = { identities, ...(trust !== undefined && { trust }) };
  const ttl = url.parameters.get('ttl');
  const serverName = url.parameters.get('server-name');
  return {
    runtime,
    secret,
    user: url.parameters.get('user'),
    tls: url.secure ? { source: { current }, ...(serverName !== undefined && { serverName }) } : undefined,
    ttlMs: ttl === undefined ? undefined : Number(ttl),
    readText,
    variable,
  };
}
