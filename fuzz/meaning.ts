// What a message means, the same for every engine: two that read one input must not read two meanings.

/** A message that was read completely. Names of fields are in lower case, values one character for each octet. */
export interface Meaning {
  /** `GET host /path` of a request, the status of a response. */
  readonly start: string;
  /** End-to-end fields, each as `name: value`, in order of names, and of arrival within a name. */
  readonly fields: readonly string[];
  readonly content: string;
  readonly trailers: readonly string[];
}

// Fields of one connection, or about framing, which the engine has dealt with (RFC 9110 section 7.6.1, RFC 9112
// section 6). `expect` is dealt with by the server, and `host` is in the first line.
const ofConnection = new Set(
  'connection keep-alive proxy-connection te transfer-encoding upgrade http2-settings content-length host expect'.split(
    ' ',
  ),
);

/**
 * Fields as a list of `name: value`. What the receiver may do on the way is done to both: fields of the connection and
 * those that `Connection` names are left out, cookie crumbs are joined (RFC 9113 section 8.2.3), and so are the others
 * of one name as far as their order goes.
 */
export function meantFields(raw: readonly string[]): string[] {
  const pairs: [name: string, value: string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2)
    pairs.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '']);
  const nominated = pairs
    .filter(([name]) => name === 'connection')
    .flatMap(([, value]) => value.split(',').map((each) => each.trim().toLowerCase()));
  const left = pairs.filter(
    ([name]) => !ofConnection.has(name) && !nominated.includes(name) && !name.startsWith(':'),
  );
  const crumbs = left.filter(([name]) => name === 'cookie').map(([, value]) => value);
  const others = left.filter(([name]) => name !== 'cookie');
  if (crumbs.length > 0) others.push(['cookie', crumbs.join('; ')]);
  // A stable sort: only fields of different names change places, which changes nothing (RFC 9110 section 5.3).
  return others
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}: ${value}`);
}

/** Where two meanings part; undefined where they are the same. */
export function difference(ours: Meaning, theirs: Meaning): string | undefined {
  const mine = JSON.stringify(ours);
  const other = JSON.stringify(theirs);
  return mine === other ? undefined : `we read ${mine}, the other ${other}`;
}
