/** Tells whether a text is meant by a pattern. An attribute that is not there is no text: nothing matches it. */
export type TextTest = (text: string) => boolean;

/** `abc` exactly, `abc*` by its beginning, `*abc` by its end, `*` anything but nothing. */
export function textPattern(pattern: string): TextTest {
  if (pattern === '*') return (text) => text !== '';
  if (pattern.startsWith('*')) {
    const end = pattern.slice(1);
    return (text) => text.endsWith(end);
  }
  if (pattern.endsWith('*')) {
    const start = pattern.slice(0, -1);
    return (text) => text.startsWith(start);
  }
  return (text) => text === pattern;
}

/** As `textPattern`, whatever the case of the letters. */
export function textPatternIgnoringCase(pattern: string): TextTest {
  const test = textPattern(pattern.toLowerCase());
  return (text) => test(text.toLowerCase());
}
