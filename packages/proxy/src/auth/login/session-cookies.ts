import type { Fields } from '@heddle/wire';

/** How cookies of ours are named and kept. */
export interface CookieRules {
  readonly name: string;
  /** Only over https, and of exactly this host: `__Host-` (RFC 6265bis section 4.1.3.2). */
  readonly secure: boolean;
}

// Browsers keep 4096 bytes of a cookie, its name and attributes included.
const pieceLength = 3800;
const mostPieces = 4;
const mostPending = 5;

/** The cookies of ours that a request has sent, by name without the prefix; the first of each name. */
export type SentCookies = ReadonlyMap<string, string>;

/** Takes our cookies out of a request: they are for nobody behind this gateway. */
export function takeCookies(fields: Fields, rules: CookieRules): SentCookies {
  const sent = new Map<string, string>();
  const lines = fields.all('cookie');
  const own = fullName(rules);
  if (!lines.some((line) => line.includes(own))) return sent;
  fields.delete('cookie');
  for (const line of lines) {
    const others = line.split(';').filter((pair) => !taken(pair.trim(), own, sent));
    if (others.length > 0) fields.append('cookie', others.join(';').trim());
  }
  return sent;
}

function taken(pair: string, own: string, sent: Map<string, string>): boolean {
  const equals = pair.indexOf('=');
  const name = pair.slice(0, equals);
  // Ours are the name and what begins with it and a dot.
  if (equals === -1 || (name !== own && !name.startsWith(`${own}.`))) return false;
  const suffix = name.slice(own.length);
  if (!sent.has(suffix)) sent.set(suffix, pair.slice(equals + 1));
  return true;
}

/** The sealed session of a request; undefined without one. */
export function sessionIn(sent: SentCookies): string | undefined {
  let sealed = sent.get('');
  for (let piece = 1; sealed !== undefined && piece < mostPieces; piece++) {
    const more = sent.get(`.${piece}`);
    if (more === undefined) break;
    sealed += more;
  }
  return sealed;
}

/** `Set-Cookie` values that keep a session, and remove pieces of a longer one; undefined if it is too long to be kept. */
export function keepSession(
  rules: CookieRules,
  sealed: string,
  maxAgeMs: number,
  sent: SentCookies,
): string[] | undefined {
  const pieces = sealed.match(new RegExp(`.{1,${pieceLength}}`, 'g')) ?? [];
  if (pieces.length > mostPieces) return undefined;
  const kept = pieces.map((piece, at) => written(rules, at === 0 ? '' : `.${at}`, piece, maxAgeMs));
  return [...kept, ...dropPieces(rules, sent, pieces.length)];
}

/** `Set-Cookie` values that end a session. */
export function dropSession(rules: CookieRules, sent: SentCookies): string[] {
  return [...(sent.has('') ? [written(rules, '', '', 0)] : []), ...dropPieces(rules, sent, 1)];
}

function dropPieces(rules: CookieRules, sent: SentCookies, from: number): string[] {
  const left = [...sent.keys()].filter((suffix) => /^\.\d$/.test(suffix) && Number(suffix.slice(1)) >= from);
  return left.map((suffix) => written(rules, suffix, '', 0));
}

/** The sealed login of this state that has begun; undefined if this browser has not begun it. */
export function pendingIn(sent: SentCookies, state: string): string | undefined {
  return sent.get(pendingSuffix(state));
}

/** Keeps a login that has begun: one cookie each, as several tabs may log in. The oldest ones go when there are many. */
export function keepPending(
  rules: CookieRules,
  state: string,
  sealed: string,
  maxAgeMs: number,
  sent: SentCookies,
): string[] {
  const others = [...sent.keys()].filter((suffix) => suffix.startsWith('.login-'));
  const tooMany = others.slice(0, Math.max(0, others.length - mostPending + 1));
  const dropped = tooMany.map((suffix) => written(rules, suffix, '', 0));
  return [...dropped, written(rules, pendingSuffix(state), sealed, maxAgeMs)];
}

/** Forgets a login that has ended, well or not. */
export function dropPending(rules: CookieRules, state: string): string {
  return written(rules, pendingSuffix(state), '', 0);
}

function pendingSuffix(state: string): string {
  return `.login-${state.slice(0, 12)}`;
}

function fullName({ name, secure }: CookieRules): string {
  return secure ? `__Host-${name}` : name;
}

function written(rules: CookieRules, suffix: string, value: string, maxAgeMs: number): string {
  const age = Math.max(0, Math.floor(maxAgeMs / 1000));
  const secure = rules.secure ? '; Secure' : '';
  return `${fullName(rules)}${suffix}=${value}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure}`;
}
