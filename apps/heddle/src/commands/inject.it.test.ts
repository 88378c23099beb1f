import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-inject-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (name: string, more = ''): string =>
  `# ${name}\napiVersion: v1\nkind: Pod\nmetadata: { name: ${name}${more} }\nspec: { containers: [{ name: app, image: a }] }\n`;

function file(name: string, text: string): string {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
}

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const cli = new StartedCli(['inject', ...args], { NO_COLOR: '1' });
  const code = await cli.exited;
  return { code, output: cli.output };
}

test('writes manifests with sidecars as one stream, and says who has none and why', async () => {
  const web = file('web.yaml', manifest('web'));
  const refused = file('off.yaml', manifest('off', ", labels: { sidecar.istio.io/inject: 'false' }"));
  const { code, output } = await run('--image', 'own:1', web, refused);
  assert.equal(code, 0, output);
  assert.match(output, /# web\n[^]*image: own:1[^]*---\n# off\n/);
  assert.match(output, /pod default\/off: no sidecar: it says sidecar\.istio\.io\/inject: "false"/);
  assert.match(output, /1 injected, 0 had it already, 1 left as they are/);
  assert.equal(readFileSync(web, 'utf8'), manifest('web'));
});

test('writes into the files themselves, once', async () => {
  const place = file('own.yaml', manifest('own'));
  assert.match((await run('--write', place)).output, /^1 injected/m);
  const once = readFileSync(place, 'utf8');
  assert.match(once, /^# own\n[^]*heddle-sidecar/);
  assert.match((await run('--write', place)).output, /^0 injected, 1 had it already/m);
  assert.equal(readFileSync(place, 'utf8'), once);
});

test('a wrong option is wrong usage, a wrong manifest a failure; nothing is written then', async () => {
  for (const [args, expected] of [
    [['--proxy', 'linkerd', folder], /--proxy expects heddle or envoy, found "linkerd"/],
    [['--control-plane', 'here', folder], /--control-plane expects HOST:PORT/],
    [['--dns', 'kube-dns', folder], /--dns expects an address/],
    [['--token-secret', 'x', folder], /--token-secret expects NAME\/KEY/],
    [['--port', '1', folder], /--port is for --webhook alone/],
    [['--webhook', folder], /--webhook takes no files/],
    [['--webhook'], /--webhook needs --tls-cert FILE/],
  ] as const) {
    const { code, output } = await run(...args);
    assert.deepEqual([code, expected.test(output)], [2, true], output);
  }
  const bad = file('bad.yaml', `${manifest('good')}---\nkind: {\n`);
  const { code, output } = await run('--write', bad);
  assert.equal(code, 1);
  assert.match(output, /bad\.yaml:\d+: /);
  assert.equal(readFileSync(bad, 'utf8'), `${manifest('good')}---\nkind: {\n`);
});
