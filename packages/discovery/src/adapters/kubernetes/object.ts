/** What all objects of the API have. Everything comes from outside: nothing is sure to be there. */
export interface KubernetesObject {
  readonly metadata: ObjectMetadata;
}

/** Of it, what is used here. */
export interface ObjectMetadata {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An object as it came, if it is one. */
export function readObject(
  value: unknown,
): (KubernetesObject & Readonly<Record<string, unknown>>) | undefined {
  const object = membersIn(value);
  const metadata = membersIn(object['metadata']);
  const { name, uid, resourceVersion } = metadata;
  if (typeof name !== 'string' || typeof resourceVersion !== 'string') return undefined;
  return {
    ...object,
    metadata: {
      name,
      uid: String(uid),
      resourceVersion,
      labels: textsIn(metadata['labels']),
      annotations: textsIn(metadata['annotations']),
    },
  };
}

/** The members of an object; none if it is something else. */
export function membersIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** The entries of a list; none if it is something else. */
export function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text; undefined if it is something else, or empty. */
export function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function textsIn(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(membersIn(value)).filter(([, text]) => typeof text === 'string');
  return Object.fromEntries(entries) as Record<string, string>;
}
