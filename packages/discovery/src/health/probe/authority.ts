import type { Address } from '@heddle/kernel';

/** `host:port` as a request's authority has it. */
export function authorityOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
