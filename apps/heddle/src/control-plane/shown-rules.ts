import type { ResourceFile } from '@heddle/mesh/resources';
import { isMap, isScalar, parseAllDocuments, type Scalar, visit, type YAMLMap } from 'yaml';

/** What of a Secret tells it. Annotations: `kubectl apply` writes the whole object there. */
const secretMembers = ['data', 'stringData', 'annotations'];
const hidden = '"hidden"';

/** Rules as those see them who may only look: each value of a Secret among them is hidden, the rest stands as it was. */
export function shownRules(files: readonly ResourceFile[]): readonly ResourceFile[] {
  return files.map((each) => ({ ...each, text: withoutSecrets(each.text) }));
}

function withoutSecrets(text: string): string {
  if (!/\bSecret\b/.test(text)) return text;
  const values: Scalar[] = [];
  for (const document of parseAllDocuments(text)) {
    // What cannot be read cannot be told from a secret.
    if (!('contents' in document) || document.errors.length > 0)
      return '# not shown: it has a Secret, and mistakes\n';
    visit(document, {
      Map: (_key, map) => {
        if (map.get('kind') === 'Secret') values.push(...told(map));
      },
    });
  }
  const ranges = values.flatMap(({ range }) => (range ? [range] : [])).toSorted(([a], [b]) => b - a);
  return ranges.reduce((shown, [from, to]) => shown.slice(0, from) + hidden + shown.slice(to), text);
}

function told(secret: YAMLMap): readonly Scalar[] {
  const metadata = secret.get('metadata');
  return [secret, metadata].flatMap((holder) =>
    isMap(holder)
      ? holder.items.flatMap(({ key, value }) =>
          isScalar(key) && secretMembers.includes(String(key.value)) && isMap(value)
            ? value.items.flatMap((item) => (isScalar(item.value) ? [item.value] : []))
            : [],
        )
      : [],
  );
}
