/** Tells whether an address lies in a block. */
export type AddressTest = (address: string) => boolean;

/** `203.0.113.4`, `203.0.113.0/24`, `2001:db8::/32`; undefined for what is none of these. */
export function ipBlock(written: string): AddressTest | undefined {
  const [address = '', length] = written.split('/');
  const bytes = addressBytes(address);
  if (bytes === undefined) return undefined;
  const bits = length === undefined ? bytes.length * 8 : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (bits < 0 || bits > bytes.length * 8) return undefined;
  return (candidate) => {
    const other = addressBytes(candidate);
    return other !== undefined && other.length === bytes.length && sameBits(bytes, other, bits);
  };
}

/** True for what `ipBlock` can read. */
export function isAddressBlock(written: string): boolean {
  return ipBlock(written) !== undefined;
}

function sameBits(a: readonly number[], b: readonly number[], bits: number): boolean {
  for (let at = 0; at * 8 < bits; at++) {
    const mask = bits - at * 8 >= 8 ? 0xff : (0xff << (8 - (bits - at * 8))) & 0xff;
    if (((a[at] ?? 0) & mask) !== ((b[at] ?? 0) & mask)) return false;
  }
  return true;
}

/** 4 or 16 bytes. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address. */
function addressBytes(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return ipv4Bytes(text);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text)?.[1];
  return mapped === undefined ? ipv6Bytes(text) : ipv4Bytes(mapped);
}

function ipv4Bytes(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.map(Number);
}

function ipv6Bytes(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
