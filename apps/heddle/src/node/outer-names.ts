import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import type { Address } from '@heddle/kernel';

/** Name servers of the machine, as `/etc/resolv.conf` has them; none where it is not there. */
export function machineNameServers(): readonly string[] {
  try {
    const lines = readFileSync('/etc/resolv.conf', 'utf8').split('\n');
    return lines.flatMap((line) => /^\s*nameserver\s+([0-9a-fA-F:.]+)/.exec(line)?.[1] ?? []);
  } catch {
    return [];
  }
}

/** Addresses of names as that server knows them: never by our own answers, which lead to ourselves. */
export function outerNames({ host, port }: Address): (name: string) => Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  resolver.setServers([host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`]);
  return (name) => resolver.resolve4(name);
}
