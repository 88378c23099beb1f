import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Analysis } from '@heddle/mesh/analyze';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-analyze-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
}

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const cli = new StartedCli(['analyze', ...args], { NO_COLOR: '1' });
  const code = await cli.exited;
  return { code, output: cli.output };
}

const good = `apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}]}
`;
const bad = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
    - route:
        - destination: {host: wep}
`;

test('a mistake is shown with its place and what to do, and the exit code says so', async () => {
  file('service.yaml', good);
  const place = file('route.yaml', bad);
  const { code, output } = await run(folder);
  assert.equal(code, 1);
  assert.ok(
    output.includes(`${place}:8:25: error DESTINATION_HOST_NOT_FOUND: VirtualService default/web`),
    output,
  );
  assert.match(output, /2 objects, 1 error, 0 warnings, 0 notes/);
});

test('the same as JSON', async () => {
  const { code, output } = await run('--json', file('route.yaml', bad));
  assert.equal(code, 1);
  const { findings } = JSON.parse(output) as Analysis;
  assert.deepEqual(
    findings.map(({ code: what, severity, line, field, documented }) => ({
      what,
      severity,
      line,
      field,
      documented,
    })),
    [
      {
        what: 'DESTINATION_HOST_NOT_FOUND',
        severity: 'error',
        line: 8,
        field: 'spec.http[0].route[0].destination.host',
        documented: ['KIA1101', 'IST0101'],
      },
    ],
  );
});

test('nothing wrong is 0, a part of a mesh is judged as one, warnings fail on demand', async () => {
  assert.equal((await run(file('service.yaml', good))).code, 0);
  assert.equal((await run('--partial', file('route.yaml', bad))).code, 0);
  const warned = file('unnamed.yaml', good.replace('name: http, ', ''));
  assert.equal((await run(warned)).code, 0);
  assert.equal((await run('--fail-on', 'warning', warned)).code, 1);
});

test('wrong usage is 2, a file that is not there is 1', async () => {
  assert.equal((await run()).code, 2);
  assert.equal((await run('--fail-on', 'mood', folder)).code, 2);
  const gone = await run(path.join(folder, 'gone.yaml'));
  assert.equal(gone.code, 1);
  assert.match(gone.output, /gone\.yaml cannot be read/);
});
