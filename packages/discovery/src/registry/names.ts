/** What a service may be called, for people. */
export const serviceNameRule =
  '1 to 253 letters, digits, ".", "_" and "-", starting and ending with a letter or digit';

/** Whether a service can have this name; it then needs no escaping in any path, key or label of any backend. */
export function isServiceName(text: string): boolean {
  return text.length <= 253 && /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text);
}

/** What a host may be, for people. */
export const hostRule = 'a host name or an IP literal without brackets';

/** Whether this is an IPv4 or IPv6 literal (without brackets; a zone index is allowed) or a host name (RFC 1123). */
export function isHost(text: string): boolean {
  if (text.includes(':')) return isIPv6(text);
  // All digits and dots can only be meant as IPv4: "10.0.0.256" must not pass as a name.
  if (/^[\d.]+$/.test(text)) return isIPv4(text);
  return (
    text.length <= 253 &&
    text.split('.').every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
  );
}

function isIPv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

function isIPv6(text: string): boolean {
  const [literal = '', zone, ...more] = text.split('%');
  if (more.length > 0 || (zone !== undefined && !/^[A-Za-z0-9._-]{1,15}$/.test(zone))) return false;
  const halves = literal.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1);
  const hasIPv4 = last !== undefined && last.includes('.');
  if (hasIPv4 && (literal.endsWith('::') || !isIPv4(last))) return false;
  const plain = hasIPv4 ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  const count = plain.length + (hasIPv4 ? 2 : 0);
  return halves.length === 2 ? count <= 7 : count === 8;
}
