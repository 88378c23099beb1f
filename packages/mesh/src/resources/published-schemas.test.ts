// The shapes are held to the published CustomResourceDefinitions of Istio and of the Gateway API, read in place
// beside the project: each field that is published can be written, and no other.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { kinds, meshGroups } from './kinds.ts';
import type { Shape } from './shape.ts';

interface Published {
  readonly properties?: Readonly<Record<string, Published>>;
  readonly required?: readonly string[];
  readonly items?: Published;
  readonly additionalProperties?: Published | boolean;
  readonly enum?: readonly string[];
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Published };
    }[];
  };
}

const folder = join(import.meta.dirname, '../../../../../shared/data/crds');

/** Deprecated fields: old-forms.ts reads them as today's, so the shapes need not know them. */
const old = new Set([
  'consecutiveErrors',
  'warmupDurationSecs',
  'mirrorPercent',
  'mirror_percent',
  'allowOrigin',
  'percent',
  'jwks_uri',
  'targetRef',
]);
const isOld = (at: string): boolean => {
  const field = at.split('.').at(-1) ?? '';
  // The same names are new fields elsewhere.
  if (at.endsWith('consistentHash.minimumRingSize')) return true;
  return old.has(field) && !/retryBudget\.percent$|requestMirror\.percent$/.test(at);
};

describe('published schemas', {
  skip: existsSync(folder) ? false : `SKIPPED: no CustomResourceDefinitions at ${folder}`,
}, () => {
  const definitions = ['istio.yaml', 'gateway-api.yaml'].flatMap((file) =>
    parseAllDocuments(readFileSync(join(folder, file), 'utf8'))
      .map((document) => document.toJS() as Definition | null)
      .filter((each) => each?.spec?.names !== undefined),
  );
  for (const { group, kind, versions, shape } of kinds.filter((each) => meshGroups.has(each.group))) {
    test(`${kind} of ${group}`, () => {
      const definition = definitions.find(
        (each) => each?.spec.group === group && each.spec.names.kind === kind,
      );
      const version = definition?.spec.versions.find(({ name }) => name === versions[0]);
      const published = version?.schema.openAPIV3Schema.properties?.['spec'];
      assert.ok(published !== undefined, `nothing is published for ${kind}`);
      assert.deepEqual([...differences(published, shape as Shape<unknown>, 'spec')], []);
    });
  }
});

function* differences(published: Published, shape: Shape<unknown>, at: string): Iterable<string> {
  const { properties, items, additionalProperties } = published;
  if (items !== undefined || typeof additionalProperties === 'object') {
    const inner = items ?? (additionalProperties as Published);
    if (shape.of === undefined) yield `${at}: is a list or a map`;
    else yield* differences(inner, shape.of, `${at}[]`);
  } else if (properties !== undefined) {
    yield* fieldDifferences(properties, shape, at);
    const blank = Object.keys(shape.blank ?? {}).toSorted();
    const required = [...(published.required ?? [])].toSorted();
    if (blank.join() !== required.join()) yield `${at}: required ${required.join()}, ours ${blank.join()}`;
  }
  if (
    published.enum?.every((word) => typeof word === 'string') === true &&
    !shape.what.startsWith('one of')
  ) {
    yield `${at}: one of ${published.enum.join()}`;
  }
}

function* fieldDifferences(
  properties: Readonly<Record<string, Published>>,
  shape: Shape<unknown>,
  at: string,
): Iterable<string> {
  const fields = shape.fields ?? {};
  for (const [name, inner] of Object.entries(properties)) {
    const own = fields[name];
    const place = `${at}.${name}`;
    if (own !== undefined) yield* differences(inner, own, place);
    else if (!isOld(place)) yield `${place}: published, not in the shape`;
  }
  for (const name of Object.keys(fields)) {
    if (!(name in properties)) yield `${at}.${name}: in the shape, not published`;
  }
}
