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

const nobody = (): boolean => false;

/**
 * A copy without what was meant for this hop only: the fields above and those that `Connection` names. A `Connection`
 * that names a field of the forwarding itself cannot remove it, since those are written afterwards. `without`: what
 * else is left out.
 */
export function endToEndFields(fields: Fields, without: (name: string) => boolean = nobody): Fields {
  const named = fields.has('connection') ? namedBy(fields) : undefined;
  const { raw } = fields;
  const kept: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string;
    if (hopByHop.has(name) || without(name) || named?.has(name) === true) continue;
    kept.push(name, raw[at + 1] as string);
  }
  return new Fields(kept);
}

function namedBy(fields: Fields): ReadonlySet<string> {
  const names = fields.all('connection').flatMap((value) => value.split(','));
  return new Set(names.map((name) => name.trim().toLowerCase()));
}
