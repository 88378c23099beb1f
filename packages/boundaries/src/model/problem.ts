/** Something wrong with an input. */
export interface Problem {
  /** Where in the document: keys and positions from its root. */
  readonly path: readonly (string | number)[];
  /** What was expected, what was found, what to do. */
  readonly message: string;
}

/** A value, or everything that is wrong with the input at once. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A place as people read it: `capabilities[2].dependencies[0]`. */
export function placeOf(path: Problem['path']): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return text.replace(/^\./, '') || 'the document';
}
