import { Fields } from '@heddle/wire';

// RFC 9110 section 7.6.1, and what is not in it but was always meant for one hop.
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * A copy without what was meant for this hop only: the fields above and those that `Connection` names. A `Connection`
 * that names a field of the forwarding itself cannot remove it, since those are written afterwards.
 */
export function endToEndFields(fields: Fields): Fields {
  const named = new Set<string>();
  for (const value of fields.all('connection')) {
    for (const name of value.split(',')) named.add(name.trim().toLowerCase());
  }
  const kept: string[] = [];
  for (const [name, value] of fields) if (!hopByHop.has(name) && !named.has(name)) kept.push(name, value);
  return new Fields(kept);
}
