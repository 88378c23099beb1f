import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownRules } from './shown-rules.ts';

function shown(text: string): string | undefined {
  return shownRules([{ file: 'rules.yaml', text }])[0]?.text;
}

test('values of Secrets are hidden, and all else stands as it was written', () => {
  const rules = (crt: string, key: string, applied: string): string => `# of the edge
kind: Gateway
metadata: { name: edge }
---
apiVersion: v1
kind: Secret
metadata:
  name: edge-cert
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: ${applied}
data: { tls.crt: ${crt} }
stringData:
  tls.key: ${key}
  note: ${key}
`;
  const block = '|\n    -----BEGIN PRIVATE KEY-----\n    MIGH\n    -----END PRIVATE KEY-----';
  const text = rules('bGlzdA==', block, `'{"data":1}'`);
  const found = shown(text) ?? '';
  assert.doesNotMatch(found, /PRIVATE|MIGH|bGlzdA|"data":1/);
  assert.match(found, /^# of the edge\nkind: Gateway\nmetadata: \{ name: edge \}\n---\n/);
  assert.match(found, /data: \{ tls\.crt: "hidden" \}/);
});

test('a Secret in a list and in JSON too', () => {
  const secret = { kind: 'Secret', metadata: { name: 'a' }, stringData: { key: 'of-the-house' } };
  assert.doesNotMatch(shown(JSON.stringify({ kind: 'List', items: [secret] })) ?? '', /of-the-house/);
});

test('what has a Secret and cannot be read is not shown at all; what has none is', () => {
  assert.doesNotMatch(shown('kind: Secret\ndata: { key: "of-the-house }\n') ?? '', /of-the-house/);
  assert.equal(shown('kind: Gateway\nspec: {{\n'), 'kind: Gateway\nspec: {{\n');
});
