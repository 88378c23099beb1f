// Kiali's documented examples of what a lint must flag, read in place beside the project: the same objects, at the lines
// that their comments point at; each also as a single unsaved text.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Finding } from '../resources/index.ts';
import { analyze } from './analyze.ts';

const folder = join(import.meta.dirname, '../../../../../shared/data/istio-validation');
const bookinfo = readFileSync(join(import.meta.dirname, 'testdata/bookinfo.yaml'), 'utf8');

/** What each example shows: objects with the lines of the documented check, in the mesh of the documentation. */
const shown: Readonly<Record<string, readonly string[]>> = {
  '801.yaml': ['httpbin 18', 'httpbin 19'],
  '802.yaml': ['httpbin 23', 'httpbin 24'],
  '804.yaml': ['httpbin 21', 'httpbin 27'],
  '805.yaml': ['httpbin 14', 'httpbin 16'],
  // The account is one of the mesh, but for its example.
  '806.yaml': [],
  '001.yaml': ['reviews-dr1 6', 'reviews-dr2 26'],
  '002.yaml': ['reviews 6'],
  '003.yaml': ['reviews 12', 'reviews 15'],
  '005.yaml': ['reviews 18'],
  '004.yaml': ['default 11'],
  '006.yaml': ['enable-mtls 10'],
  '007.yaml': ['disable-mtls 10'],
  '008.yaml': ['default 10'],
  '201.yaml': ['bookinfo-gateway 14', 'bookinfo-gateway-copy 30'],
  '202.yaml': ['bookinfo-gateway 7'],
  '401.yaml': ['default 9'],
  '301.yaml': ['default 9'],
  '305.yaml': ['default 8'],
  '306.yaml': ['default 8'],
  '701.yaml': ['ratings-java-svc 12'],
  '602.yaml': ['ratings-java-svc 13'],
  '702.yaml': ['ratings-java-svc 11'],
  // Right as it is, since it names the target: only told that the ports differ.
  '703.yaml': ['ratings-java-svc 11'],
  '904.yaml': ['servicenotfound 20', 'servicenotfound 21'],
  '906.yaml': ['default 7'],
  '102.yaml': ['details 11'],
  '101.yaml': ['details 9'],
  '106.yaml': ['reviews 13'],
  '111.yaml': ['reviews 18'],
  '104.yaml': ['reviews 7', 'reviews-cp 25'],
  '105.yaml': ['reviews 12', 'reviews 16'],
  '112.yaml': ['bookinfo 10'],
  '1201.yaml': ['ratings-unmatching-address 22'],
  '1401.yaml': ['httproute 8'],
  '1402.yaml': ['httproute 22'],
  '302.yaml': ['default 4', 'duplicate 13'],
  '303.yaml': ['productpage 7', 'productpage-disable-80 19'],
  '304.yaml': ['nomatchingworkloads 7'],
  '1501.yaml': [' 6', ' 20'],
  '1502.yaml': [' 15', ' 32'],
  '1503.yaml': [' 6', ' 14'],
};

describe('documented examples', {
  skip: existsSync(folder) ? false : `SKIPPED: no examples at ${folder}`,
}, () => {
  const index = readFileSync(join(folder, 'index.tsv'), 'utf8').trim().split('\n').slice(1);
  test('the table knows every example', () => {
    assert.deepEqual(
      Object.keys(shown).toSorted(),
      index.map((line) => line.split('\t')[0] ?? '').toSorted(),
    );
  });
  for (const line of index) {
    const [file = '', code = '', title = ''] = line.split('\t');
    const text = readFileSync(join(folder, file), 'utf8');
    test(`${file} ${code} in its mesh: ${title}`, () => {
      const { findings } = analyze([
        { file: 'bookinfo.yaml', text: bookinfo },
        { file, text },
      ]);
      assert.deepEqual(placesOf(findings, file, code), shown[file]);
    });
    test(`${file} ${code} as one unsaved text`, () => {
      const found = placesOf(analyze([{ file: 'unsaved.yaml', text }]).findings, 'unsaved.yaml', code);
      const missing = (shown[file] ?? []).filter((place) => !found.includes(place));
      assert.deepEqual(missing, []);
      assert.ok(found.length > 0);
    });
  }
  test('the mesh of the examples has no findings that matter', () => {
    const { findings } = analyze([{ file: 'bookinfo.yaml', text: bookinfo }]);
    assert.deepEqual(
      findings.filter(({ severity }) => severity === 'error'),
      [],
    );
  });
});

function placesOf(findings: readonly Finding[], file: string, code: string): readonly string[] {
  return findings
    .filter((each) => each.file === file && each.documented.includes(code))
    .map(({ object, line }) => `${object?.name ?? '?'} ${line}`);
}
