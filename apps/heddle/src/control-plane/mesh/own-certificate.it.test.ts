// `heddle control-plane --tls-cert`, a registry and a config centre over TLS, and another control plane whose mesh has its instances.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { openRegistry } from '@heddle/discovery/node';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { becomes } from '../../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { StartedCli } from '../../node/started-cli.ts';

const token = 'a-token-for-this-test-alone';
const admin = 'another-token-for-this-test-alone';
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-own-certificate-'));
const file = (name: string): string => path.join(folder, name);
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const authority = new TestAuthority('an authority of our own', Date.now());
const env = { HEDDLE_REGISTRY_TOKEN: token, HEDDLE_ADMIN_TOKEN: admin, HEDDLE_ROOTS: file('ca.pem') };
const started: StartedCli[] = [];
let place = '';

/** A new certificate where the control plane looks for it; the key first, as whoever renews one does. */
function renew(): string {
  const { certificates, privateKey } = authority.issue({ addresses: ['127.0.0.1'] });
  for (const [name, text] of [
    ['tls.key', privateKey],
    ['tls.crt', certificates],
  ] as const) {
    writeFileSync(file(`${name}.next`), text);
    renameSync(file(`${name}.next`), file(name));
  }
  return new X509Certificate(certificates).serialNumber;
}

async function start(name: string, args: readonly string[]): Promise<string> {
  const cli = new StartedCli(['control-plane', '--port', '0', '--data', file(name), ...args], env);
  started.push(cli);
  const [, url = ''] = await cli.printed(/"url":"([^"]+)"/);
  return url;
}

/** The number of the certificate that is shown to who believes that authority. */
function shown(ca: string): Promise<string> {
  const { hostname: host, port } = new URL(place);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ca });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
  });
}

before(async () => {
  writeFileSync(file('ca.pem'), authority.certificate);
  renew();
  execFileSync('git', ['init', '--quiet', '--bare', 'config.git'], { cwd: folder });
  const tls = ['--tls-cert', file('tls.crt'), '--tls-key', file('tls.key')];
  place = await start('registry', [...tls, '--config-store', `git:${file('config.git')}`]);
});

after(async () => {
  for (const { child, exited } of started) {
    child.kill('SIGTERM');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('a control plane with a certificate of another authority', { timeout: 600_000 }, () => {
  test('is believed by who believes that authority, and shows the next certificate once it is there', async () => {
    assert.match(place, /^https:/);
    const before = await shown(authority.certificate);
    const stranger = new TestAuthority('somebody else', Date.now());
    await assert.rejects(shown(stranger.certificate));
    await assert.rejects(fetch(`${place.replace('https:', 'http:')}/metrics`), 'it takes no plaintext');
    const next = renew();
    assert.notEqual(next, before);
    await becomes(
      () => shown(authority.certificate),
      (serial) => serial === next,
    );
  });

  test('is a config centre by heddle+tls://', async () => {
    const { host } = new URL(place);
    const centre = `heddle+tls://${host}?ca-file=${encodeURIComponent(file('ca.pem'))}`;
    const config = (...args: readonly string[]): StartedCli =>
      new StartedCli(['config', ...args], { HEDDLE_CONFIG: centre, HEDDLE_CONFIG_TOKEN: admin, USER: 'ada' });
    const set = config('set', 'prod/shop/order', 'pool.max=20', '--why', 'more load');
    assert.equal(await set.exited, 0, set.output);
    const show = config('show', 'prod/shop/order');
    assert.equal(await show.exited, 0, show.output);
    assert.match(show.output, /pool\.max = 20/);
  });

  test('is the registry of another one’s mesh (--mesh-registry)', async () => {
    const { host } = new URL(place);
    const url = `embedded+tls://${host}?ca-file=${encodeURIComponent(file('ca.pem'))}`;
    writeFileSync(file('mesh.yaml'), '');
    const other = await start('mesh', ['--mesh', file('mesh.yaml'), '--mesh-registry', place]);
    const registry = await openRegistry(url, { runtime, secret: token });
    const endpoints = async (): Promise<string> => {
      const answer = await fetch(`${other}/v1/mesh/model`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({
          plane: 'proxy',
          node: 'test',
          workload: 'shop/web',
          have: '',
          refused: [],
          waitMs: 0,
        }),
      });
      assert.equal(answer.status, 200);
      return answer.text();
    };
    try {
      await registry.register({ service: 'order', id: 'a', address: '127.0.0.7', port: 4321 });
      await becomes(endpoints, (text) => text.includes('127.0.0.7') && text.includes('4321'));
      await registry.deregister('order', 'a');
      await becomes(endpoints, (text) => !text.includes('127.0.0.7'));
    } finally {
      await registry.close();
    }
  });
});
