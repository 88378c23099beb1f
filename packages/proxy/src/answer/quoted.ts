// Everything that JSON writes as it is, and a line cannot be broken by.
const simple = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A text as JSON writes it, at a third of its price for those that nearly all are. */
export function quoted(text: string): string {
  return simple.test(text) ? `"${text}"` : JSON.stringify(text);
}
