/** What nearly every interface can do: these words say nothing about what it does it to. */
const verbs = new Set(
  'add all api by cancel change check clear count create delete do edit execute fetch find for get handle init insert is list load make new of on open patch post process push put query read remove reset rpc run save search send service set start stop store submit sync to update upsert validate view with write'.split(
    ' ',
  ),
);

/** The words of a name in whatever style, in lower case: `updateOrderItem` has update, order, item. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
    .filter((word) => word !== '');
}

/** The things that operations are about: their words without verbs, in the singular. */
export function objectsOf(operations: readonly string[]): Set<string> {
  return new Set(
    operations
      // Parameters of a path are of whom it asks for, not of what it is about.
      .map((operation) => operation.replace(/\{[^}]*\}|(?<=\/):\w+/g, ' '))
      .flatMap(wordsOf)
      .filter((word) => !verbs.has(word))
      .map((word) => (/[^s]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word)),
  );
}
