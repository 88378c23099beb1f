/** An address as a number of so many bits; an IPv4 address within IPv6 (`::ffff:1.2.3.4`) counts as IPv4. */
interface Numbered {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** Says of an address whether it lies in one of the ranges: addresses, or `10.0.0.0/8`. What is no address does not. */
export function inRanges(ranges: readonly string[]): (address: string) => boolean {
  const known = ranges.map((range) => {
    const [address = '', length] = range.split('/');
    const { bits, value } = numbered(address) ?? { bits: 32, value: -1n };
    const shift = BigInt(bits - Number(length ?? bits));
    return { bits, shift, prefix: value >> shift };
  });
  return (address) => {
    const found = numbered(address);
    if (found === undefined) return false;
    return known.some(({ bits, shift, prefix }) => bits === found.bits && found.value >> shift === prefix);
  };
}

/** True for an IPv4 or IPv6 address without brackets. */
export function isAddress(text: string): boolean {
  return numbered(text) !== undefined;
}

function numbered(address: string): Numbered | undefined {
  if (!address.includes(':')) {
    const value = ofFour(address);
    return value === undefined ? undefined : { bits: 32, value };
  }
  const value = ofSix(address);
  if (value === undefined) return undefined;
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value };
}

function ofFour(address: string): bigint | undefined {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function ofSix(address: string): bigint | undefined {
  const four = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const low = four === null ? undefined : ofFour(four[2] ?? '');
  if (four !== null && low === undefined) return undefined;
  const text =
    low === undefined ? address : `${four?.[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const [head = [], tail = []] = groups;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
