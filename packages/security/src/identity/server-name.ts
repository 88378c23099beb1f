import { HeddleError } from '@heddle/kernel';
import { der } from './der.ts';

const dnsName = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * A name or an address at which a server is called, as a certificate has it (RFC 5280, 4.2.1.6). Throws
 * `invalid_argument` / `BAD_HOST` for anything else.
 */
export function serverName(host: string): Uint8Array {
  const address = host.includes(':') ? bytesOfIPv6(host) : bytesOfIPv4(host);
  if (address !== undefined) return der(0x87, address);
  // Digits and dots alone can only be meant as an address.
  if (dnsName.test(host) && host.length <= 253 && !/^[\d.]+$/.test(host))
    return der(0x82, Buffer.from(host, 'latin1'));
  const message = `expected a DNS name or an IP address at which the server is called, found "${host.slice(0, 100)}"`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_HOST', message, sent: false });
}

function bytesOfIPv4(host: string): Uint8Array | undefined {
  const parts = /^\d{1,3}(\.\d{1,3}){3}$/.test(host) ? host.split('.').map(Number) : [];
  return parts.length === 4 && parts.every((part) => part <= 255) ? Uint8Array.from(parts) : undefined;
}

function bytesOfIPv6(host: string): Uint8Array | undefined {
  const url = `http://[${host}]`;
  if (!URL.canParse(url)) return undefined;
  // As a URL has it: without an IPv4 address within, and with one "::" at most.
  const [front = '', back] = new URL(url).hostname.slice(1, -1).split('::');
  const [before, after] = [groupsIn(front), groupsIn(back ?? '')];
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsIn(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
