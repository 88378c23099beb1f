/** What stands for a class of characters, in the order in which they are tried. */
const alphabet = [...Array.from('abcxyzABCXYZ0123456789-_./:@ +=#,;!?*&%$~|(){}[]<>"\'\\^`\t\n'), 'é', '中'];
const most = 64;

interface Reading {
  readonly text: string;
  at: number;
  /** How often what may be repeated is repeated beyond its least. */
  readonly more: number;
}

/**
 * A text that a regular expression takes, of a length within bounds. Undefined for one that is not understood (looks
 * around, back references) or where nothing was found.
 */
export function patternExample(pattern: string, least: number, longest: number): string | undefined {
  const check = compiled(pattern);
  if (check === undefined) return undefined;
  const isTaken = (text: string): boolean =>
    text.length >= least && text.length <= longest && check.test(text);
  for (let more = 0; more <= Math.min(least + 1, most); more++) {
    try {
      const made = alternatives({ text: pattern, at: 0, more });
      const found = [made, made.padEnd(least, 'x'), made.padEnd(least, '0')].find(isTaken);
      if (found !== undefined) return found;
    } catch {
      return undefined;
    }
  }
  return undefined;
}

function compiled(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}

/** The first alternative; the others are read over. */
function alternatives(reading: Reading): string {
  const first = sequence(reading);
  while (reading.text[reading.at] === '|') {
    reading.at += 1;
    sequence(reading);
  }
  return first;
}

function sequence(reading: Reading): string {
  let made = '';
  while (reading.at < reading.text.length && !'|)'.includes(reading.text[reading.at] ?? '')) {
    const piece = atom(reading);
    const { from, to } = quantifier(reading);
    made += piece.repeat(Math.min(Math.min(from + reading.more, to), Math.max(from, most)));
  }
  return made;
}

function atom(reading: Reading): string {
  const { text } = reading;
  const at = reading.at;
  if (text[at] === '(') return group(reading);
  if (text[at] === '[') return characterOf(reading, classEnd(text, at));
  if (text[at] === '\\') return characterOf(reading, escapeEnd(text, at));
  reading.at += 1;
  if (text[at] === '^' || text[at] === '$') return '';
  return text[at] === '.' ? 'x' : (text[at] ?? '');
}

function group(reading: Reading): string {
  const kind = /^\((\?:|\?<[A-Za-z]\w*>|(?!\?))/.exec(reading.text.slice(reading.at));
  if (kind === null) throw new Error('looks around');
  reading.at += kind[0].length;
  const made = alternatives(reading);
  reading.at += 1;
  return made;
}

function classEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== ']') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function escapeEnd(text: string, at: number): number {
  const found = /^\\(u\{[^}]*\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[pP]\{[^}]*\}|[^1-9k])/u.exec(text.slice(at));
  if (found === null) throw new Error('refers back');
  return at + found[0].length;
}

/** Some character that a class or an escape takes. */
function characterOf(reading: Reading, end: number): string {
  const source = reading.text.slice(reading.at, end);
  reading.at = end;
  if (source === '\\b' || source === '\\B') return '';
  const one = new RegExp(`^${source}$`, 'u');
  for (const character of alphabet) if (one.test(character)) return character;
  for (let code = 32; code < 0x3000; code++)
    if (one.test(String.fromCodePoint(code))) return String.fromCodePoint(code);
  throw new Error('takes nothing');
}

function quantifier(reading: Reading): { readonly from: number; readonly to: number } {
  const found = /^(\*|\+|\?|\{(\d+)(,(\d*))?\})\??/.exec(reading.text.slice(reading.at));
  if (found === null) return { from: 1, to: 1 };
  reading.at += found[0].length;
  const [, kind = '', from, further, to] = found;
  if (kind === '*') return { from: 0, to: Number.POSITIVE_INFINITY };
  if (kind === '+') return { from: 1, to: Number.POSITIVE_INFINITY };
  if (kind === '?') return { from: 0, to: 1 };
  if (further === undefined) return { from: Number(from), to: Number(from) };
  return { from: Number(from), to: to === '' || to === undefined ? Number.POSITIVE_INFINITY : Number(to) };
}
