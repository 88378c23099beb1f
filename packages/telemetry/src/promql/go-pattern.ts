/** A pattern of Go (RE2) that must match all of a text, as one of JavaScript. Throws a `SyntaxError` for what is none. */
export function wholePattern(pattern: string): RegExp {
  return new RegExp(`^(?:${translated(pattern)})$`, 'su');
}

/**
 * The two differ in little: named groups, what may be escaped, and flags, which in Go hold to the end of the group that
 * they stand in: `(?i)a|b` becomes `(?i:a|b)`.
 */
function translated(pattern: string): string {
  let out = '';
  // For each open group, how many more it has to close.
  const open = [0];
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    const [escape] = /^\\./s.exec(rest) ?? [];
    const [set] = /^\[\^?\]?(?:\\.|\[:\w+:\]|[^\]])*\]/s.exec(rest) ?? [];
    const [flags, letters] = /^\(\?([imsU]+)\)/.exec(rest) ?? [];
    const piece = escape ?? set ?? flags ?? (rest.startsWith('(?P<') ? '(?P<' : rest.charAt(0));
    at += piece.length - 1;
    if (escape !== undefined) out += unescaped(escape);
    else if (set !== undefined) out += classes(set);
    else if (flags !== undefined) {
      out += `(?${(letters as string).replaceAll('U', '')}:`;
      open[open.length - 1] = (open.at(-1) ?? 0) + 1;
    } else if (piece.startsWith('(')) {
      open.push(0);
      out += piece === '(?P<' ? '(?<' : piece;
    } else if (piece === ')') out += ')'.repeat((open.length > 1 ? (open.pop() as number) : 0) + 1);
    else out += piece;
  }
  return out + ')'.repeat(open[0] ?? 0);
}

/** What JavaScript would not have escaped. */
function unescaped(escape: string): string {
  const character = escape.charAt(1);
  if (character === '-') return '\\x2d';
  if (character === 'z') return '$';
  if (character === 'A') return '^';
  return /[A-Za-z0-9^$\\.*+?()[\]{}|/]/.test(character) ? escape : character;
}

const posix: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  space: '\\s',
  upper: 'A-Z',
  word: '\\w',
  xdigit: '0-9A-Fa-f',
};

function classes(set: string): string {
  return set.replaceAll(/\[:(\w+):\]/g, (whole, name: string) => posix[name] ?? whole);
}
