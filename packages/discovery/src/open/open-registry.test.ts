import assert from 'node:assert/strict';
import { test } from 'node:test';
import { virtualRuntime } from '../testing/virtual-runtime.ts';
import type { Registry } from '../registry/registry.ts';
import { openRegistryUrl } from './open-registry.ts';

const open = (text: string): Promise<Registry> =>
  openRegistryUrl(text, {
    runtime: virtualRuntime(),
    readText: (path) => Promise.reject(new Error(`not there: ${path}`)),
    variable: () => undefined,
  });

test('a URL becomes the registry of its backend', async () => {
  for (const [url, name] of [
    ['embedded://127.0.0.1:8090', 'remote'],
    ['embedded+tls://h', 'remote'],
    ['consul', 'consul'],
    ['etcd://a,b/shop', 'etcd'],
    ['zookeeper://a/chroot', 'zookeeper'],
    ['k8s://127.0.0.1:8001/shop', 'kubernetes'],
    ['eureka://a?zone=z', 'eureka'],
    ['nacos://a/space?group=g&ephemeral=false', 'nacos'],
    ['dns://127.0.0.1?srv=_{service}._tcp.test', 'dns'],
    ['xds://a?resource=cluster-{service}&protocol=delta', 'xds'],
  ] as const) {
    const registry = await open(url);
    assert.equal(registry.name, name);
    await registry.close();
  }
});

test('every wrong parameter is named, before any file is read', async () => {
  const url = 'embedded://h?tokn=a&ttl=5&ca-file=x&cert-file=y';
  await assert.rejects(open(url), {
    reason: 'BAD_REGISTRY_URL',
    message: /"tokn".*ttl: expected.*found "5".*certificates are for TLS.*cert-file and key-file/,
  });
});

test('a user without a password is refused', async () => {
  for (const backend of ['etcd', 'zookeeper', 'eureka', 'nacos'])
    await assert.rejects(open(`${backend}://h?user=web`), {
      reason: 'BAD_REGISTRY_URL',
      message: /password of "web"/,
    });
});

test('what DNS is to be asked has to be said, once and in full', async () => {
  const cases = [
    ['embedded+tls:', /the host of a registry server/],
    ['dns://h', /either srv or host/],
    ['dns://h?srv=x', /\{service\}/],
    ['dns://h?host={service}.test', /host and port together/],
    ['dns+tls://h?srv={service}', /DNS over TLS/],
  ] as const;
  for (const [url, message] of cases)
    await assert.rejects(open(url), { reason: 'BAD_REGISTRY_URL', message });
});
