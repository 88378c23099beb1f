import { flag, object, type Place, type Read, record, text } from '../document.ts';
import type { CertificateSecret } from './gateway.ts';
import { metadata } from './values.ts';

/** A Secret with what of it is about certificates. */
export interface NamedSecret extends CertificateSecret {
  readonly namespace: string;
  readonly name: string;
}

type Entries = readonly (readonly [string, string])[];

/** True for a Secret of Kubernetes. */
export function isSecret(root: Place): boolean {
  return root.key('apiVersion')?.plain === 'v1' && root.key('kind')?.plain === 'Secret';
}

// Its values are in no message.
const plainText: Read<string> = (at) =>
  typeof at.plain === 'string' ? at.plain : at.problem('expected a text');
const encoded: Read<string> = (at) => {
  const { plain } = at;
  const isBase64 = typeof plain === 'string' && /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(plain);
  return isBase64 ? Buffer.from(plain, 'base64').toString() : at.problem('expected a text in Base64');
};

/** Reads a Secret. The keys are those that Istio knows: of Kubernetes, or its own older ones. */
export function secretOf(at: Place): NamedSecret | undefined {
  const made = object<{
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string };
    type?: string;
    immutable?: boolean;
    data?: Entries;
    stringData?: Entries;
  }>(
    {
      apiVersion: text('v1'),
      kind: text('Secret'),
      metadata,
      type: text('a type'),
      immutable: flag,
      data: record('a key', () => true, encoded) as Read<Entries>,
      stringData: record('a key', () => true, plainText) as Read<Entries>,
    },
    ['apiVersion', 'kind', 'metadata'],
  )(at);
  if (made === undefined) return undefined;
  // What is written in plain has the last word, as in Kubernetes.
  const values = new Map([...(made.data ?? []), ...(made.stringData ?? [])]);
  return {
    namespace: made.metadata.namespace ?? 'default',
    name: made.metadata.name,
    certificates: values.get('tls.crt') ?? values.get('cert'),
    privateKey: values.get('tls.key') ?? values.get('key'),
    trust: values.get('ca.crt') ?? values.get('cacert'),
  };
}
