import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { readFile } from 'node:fs/promises';
import { protoChanges } from './proto-changes.ts';
import { isRuleOf, protoRuleNames } from './proto-rules.ts';

const run = promisify(execFile);
const buf = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')),
  'bin',
  'buf',
);
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-buf-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const base = `syntax = "proto3";
package shop.v1;
message Item { string name = 1; int32 count = 2; repeated string tags = 3; reserved 9, 20 to 29; reserved "old"; }
message Order { string id = 1; Item item = 2; Colour colour = 3; map<string, Item> more = 4; optional string note = 5;
  oneof way { string mail = 6; int64 code = 7; } fixed32 sum = 8; }
message Spare { bytes data = 1; }
enum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; COLOUR_BLUE = 2; reserved 7; reserved "COLOUR_GONE"; }
service Orders { rpc Get(Order) returns (Order); rpc List(Order) returns (stream Item);
  rpc Put(stream Item) returns (Order); rpc Talk(stream Item) returns (stream Item); }
`;

/** What is replaced by what. */
const mutations: Readonly<Record<string, readonly [string, string]>> = {
  nothing: ['message Spare', 'message Spare'],
  'a new field': ['bytes data = 1;', 'bytes data = 1; string more = 2;'],
  'a field gone': ['int32 count = 2; ', ''],
  'a field gone, number reserved': ['int32 count = 2; ', 'reserved 2; '],
  'a field gone, both reserved': ['int32 count = 2; ', 'reserved 2; reserved "count"; '],
  'a field renamed': ['int32 count = 2', 'int32 amount = 2'],
  'json name': ['int32 count = 2', 'int32 count = 2 [json_name = "n"]'],
  'int32 to int64': ['int32 count = 2', 'int64 count = 2'],
  'int32 to uint32': ['int32 count = 2', 'uint32 count = 2'],
  'int32 to sint32': ['int32 count = 2', 'sint32 count = 2'],
  'int32 to bool': ['int32 count = 2', 'bool count = 2'],
  'int32 to text': ['int32 count = 2', 'string count = 2'],
  'int32 to enum': ['int32 count = 2', 'Colour count = 2'],
  'enum to int32': ['Colour colour = 3', 'int32 colour = 3'],
  'text to bytes': ['string name = 1', 'bytes name = 1'],
  'bytes to text': ['bytes data = 1', 'string data = 1'],
  'fixed32 to sfixed32': ['fixed32 sum = 8', 'sfixed32 sum = 8'],
  'fixed32 to fixed64': ['fixed32 sum = 8', 'fixed64 sum = 8'],
  'another message': ['Item item = 2', 'Spare item = 2'],
  'single to repeated': ['string name = 1', 'repeated string name = 1'],
  'repeated to single': ['repeated string tags = 3', 'string tags = 3'],
  'single to optional': ['string id = 1; Item', 'optional string id = 1; Item'],
  'optional to single': ['optional string note = 5', 'string note = 5'],
  'map to repeated': ['map<string, Item> more = 4', 'repeated Item more = 4'],
  'another map value': ['map<string, Item> more = 4', 'map<string, Spare> more = 4'],
  'another map key': ['map<string, Item> more = 4', 'map<int32, Item> more = 4'],
  'a map gone': ['map<string, Item> more = 4; ', ''],
  'into a oneof': ['} fixed32 sum = 8;', ' fixed32 sum = 8; }'],
  'out of a oneof': [' int64 code = 7; }', ' } int64 code = 7;'],
  'oneof renamed': ['oneof way', 'oneof path'],
  'reservation freed': ['reserved 9, 20 to 29', 'reserved 9'],
  'reservation widened': ['reserved 9, 20 to 29', 'reserved 9, 19 to 30'],
  'reserved name freed': ['reserved "old";', ''],
  'enum reservation freed': ['reserved 7; reserved "COLOUR_GONE";', ''],
  'enum value gone': ['COLOUR_BLUE = 2; ', ''],
  'enum value gone, reserved': ['COLOUR_BLUE = 2; ', 'reserved 2; reserved "COLOUR_BLUE"; '],
  'enum value renamed': ['COLOUR_BLUE = 2', 'COLOUR_AZURE = 2'],
  'enum value added': ['COLOUR_BLUE = 2;', 'COLOUR_BLUE = 2; COLOUR_GREEN = 3;'],
  'message gone': ['message Spare { bytes data = 1; }', ''],
  'method gone': ['rpc Get(Order) returns (Order);', ''],
  'method added': ['rpc Get(Order)', 'rpc Has(Order) returns (Order); rpc Get(Order)'],
  'another request': ['rpc Get(Order)', 'rpc Get(Item)'],
  'another answer': ['rpc Get(Order) returns (Order)', 'rpc Get(Order) returns (Item)'],
  'answers become one': ['returns (stream Item);\n', 'returns (Item);\n'],
  'requests become many': ['rpc Get(Order)', 'rpc Get(stream Order)'],
  idempotency: [
    'rpc Get(Order) returns (Order);',
    'rpc Get(Order) returns (Order) { option idempotency_level = IDEMPOTENT; }',
  ],
};

const categories = ['PACKAGE', 'WIRE_JSON', 'WIRE'] as const;

/** All mutations in one image, each in a package of its own. */
async function built(name: string, sources: readonly string[]): Promise<{ at: string; descriptors: string }> {
  const at = path.join(folder, name);
  mkdirSync(at, { recursive: true });
  for (const [number, source] of sources.entries())
    writeFileSync(
      path.join(at, `m${number}.proto`),
      source.replace('package shop.v1', `package m${number}.v1`),
    );
  const image = path.join(folder, `${name}.binpb`);
  await run(buf, ['build', at, '--as-file-descriptor-set', '-o', image]);
  return { at: image, descriptors: (await readFile(image)).toString('base64') };
}

/** The rules that buf finds broken, of all three categories in one run, by the number of the mutation. */
async function saysBuf(now: string, against: string): Promise<Map<string, Set<string>>> {
  const config = JSON.stringify({ version: 'v2', breaking: { use: categories } });
  const found = new Map<string, Set<string>>();
  try {
    await run(buf, ['breaking', now, '--against', against, '--config', config, '--error-format', 'json']);
  } catch (thrown) {
    const { stdout } = thrown as { stdout: string };
    for (const line of stdout.trim().split('\n').filter(Boolean)) {
      const {
        type,
        path: file,
        message,
      } = JSON.parse(line) as { type: string; path?: string; message: string };
      // A deletion has no file any more: the message names the package.
      const number = /\bm(\d+)\.(?:proto|v1)/.exec(`${message} ${file}`)?.[1] ?? '';
      found.set(number, (found.get(number) ?? new Set()).add(type));
    }
  }
  return found;
}

test('the rules are in the categories that buf puts them in', async () => {
  const { stdout } = await run(buf, ['config', 'ls-breaking-rules', '--version', 'v2', '--format', 'json']);
  const rules = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; categories: string[] });
  for (const rule of protoRuleNames) {
    const { categories: of = [] } = rules.find(({ id }) => id === rule) ?? {};
    assert.deepEqual(
      categories.filter((one) => isRuleOf(rule, one)),
      categories.filter((one) => of.includes(one)),
      rule,
    );
  }
});

test('what breaks gRPC is what breaks it for buf', { timeout: 300_000 }, async (t) => {
  const all = Object.entries(mutations);
  for (const [name, [from]] of all) assert.ok(base.includes(from), name);
  const before = await built(
    'base',
    all.map(() => base),
  );
  const now = await built(
    'now',
    all.map(([, [from, to]]) => base.replace(from, to)),
  );
  const expected = await saysBuf(now.at, before.at);
  const found = categories
    .flatMap((category) => protoChanges(before, now, category))
    .filter(({ level }) => level === 'breaking');
  for (const [number, [name]] of all.entries())
    await t.test(name, () => {
      const ours = found.filter(({ at }) => at.startsWith(`m${number}.v1`)).map(({ rule }) => rule);
      assert.deepEqual([...new Set(ours)].toSorted(), [...(expected.get(String(number)) ?? [])].toSorted());
    });
});
