// Two hosts, and on them programs that know of no mesh: Node, Python and curl call services by their plain names, and
// sidecars take the calls from one host to the other by mTLS.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { HeddleError, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { StartedCli } from '../node/started-cli.ts';
import { type NamespaceHost, TwoHosts } from '../node/two-hosts.ts';

const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const registryToken = 'a-token-for-this-test-alone';
const patienceMs = 30_000;

let hosts: TwoHosts | undefined;
let missing = '';
const folders: string[] = [];
const started: StartedCli[] = [];
const applications: ChildProcess[] = [];
let rulesFile = '';

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'heddle-hosts-'));
  folders.push(made);
  return made;
}

const rules = (client: string, server: string, caller: string): string => `
apiVersion: v1
kind: Service
metadata: { name: order, namespace: shop }
spec: { selector: { app: order }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: v1
kind: Service
metadata: { name: stock, namespace: shop }
spec: { selector: { app: order }, ports: [{ name: http-stock, port: 8081 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: order-1, namespace: shop }
spec: { address: ${server}, labels: { app: order }, serviceAccount: order }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: web-1, namespace: shop }
spec: { address: ${client}, labels: { app: web }, serviceAccount: web }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: all, namespace: shop }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: order, namespace: shop }
spec:
  selector: { matchLabels: { app: order } }
  rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/${caller}"] } }] }]
`;

const nodeServer = `require('node:http').createServer((q, a) => a.end('order says ' + q.url)).listen(8080, '127.0.0.1')`;
const pythonServer = `
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'stock says ' + self.path.encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(('127.0.0.1', 8081), Answer).serve_forever()
`;

function application(host: NamespaceHost, ...command: readonly string[]): void {
  const [program = '', ...args] = [...host.exec, ...command];
  applications.push(spawn(program, args, { stdio: 'ignore' }));
}

async function cli(
  host: NamespaceHost,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<StartedCli> {
  const made = new StartedCli(args, env, host.exec);
  started.push(made);
  await made.printed(/"message":"ready"|\bready\b/);
  return made;
}

async function sidecar(
  { one }: TwoHosts,
  host: NamespaceHost,
  workload: string,
  account: string,
  more: readonly string[],
): Promise<void> {
  const ask = `fetch('http://${one.address}:8090/v1/mesh/tokens', { method: 'POST', headers: { authorization: 'Bearer ${registryToken}' }, body: '{"spiffeId":"spiffe://cluster.local/ns/shop/sa/${account}"}' }).then((a) => a.json()).then((a) => console.log(a.token))`;
  const said = await hosts?.run(host, process.execPath, '--eval', ask);
  assert.equal(said?.code, 0, said?.output ?? '');
  const at = ['--control-plane', `${one.address}:8090`, '--workload', workload, '--data', folder()];
  const env = { HEDDLE_MESH_TOKEN: said?.output.trim() ?? '' };
  await cli(host, ['sidecar', ...at, ...more], env);
}

before(async () => {
  try {
    hosts = new TwoHosts();
  } catch (thrown) {
    missing = HeddleError.from(thrown).message;
    process.stderr.write(`SKIPPED two hosts: ${missing}\n`);
    return;
  }
  const { one, other } = hosts;
  const rulesFolder = folder();
  rulesFile = path.join(rulesFolder, 'mesh.yaml');
  writeFileSync(rulesFile, rules(one.address, other.address, 'web'));
  const plane = [
    'control-plane',
    '--host',
    one.address,
    '--port',
    '8090',
    '--data',
    folder(),
    '--mesh',
    rulesFolder,
  ];
  await cli(one, plane, { HEDDLE_REGISTRY_TOKEN: registryToken });
  application(other, process.execPath, '--eval', nodeServer);
  application(other, 'python3', '-c', pythonServer);
  await Promise.all([
    sidecar(hosts, one, 'shop/web-1', 'web', ['--dns', '127.0.0.1:53']),
    sidecar(hosts, other, 'shop/order-1', 'order', ['--dns', '127.0.0.1:53', '--inbound', other.address]),
  ]);
});

after(async () => {
  for (const child of applications) child.kill('SIGKILL');
  for (const each of started.toReversed()) {
    each.child.kill('SIGTERM');
    await each.exited;
  }
  hosts?.close();
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

/** Until a program says it, as rules and servers need a moment. */
async function says(expected: RegExp, ...command: readonly string[]): Promise<void> {
  assert.ok(hosts);
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const said = await hosts.run(hosts.one, ...command);
    if (expected.test(said.output)) return;
    if (performance.now() > giveUpAt) assert.fail(`${command[0]} says ${JSON.stringify(said)}\n${logs()}`);
    await sleep(runtime.timers, 50);
  }
}

function logs(): string {
  return started.map(({ output }) => output.slice(-1500)).join('\n');
}

const curl = (...args: readonly string[]): readonly string[] => ['curl', '-sS', '--max-time', '5', ...args];
const python = (url: string): readonly string[] => [
  'python3',
  '-c',
  `import urllib.request; print(urllib.request.urlopen('${url}', timeout=5).read().decode())`,
];

describe('programs on two hosts', () => {
  test('call each other by plain names: curl, Node and Python', async (t) => {
    if (hosts === undefined) {
      t.skip(missing);
      return;
    }
    await says(/^order says \/from-curl$/, ...curl('http://order:8080/from-curl'));
    await says(/^order says \/full$/, ...curl('http://order.shop.svc.cluster.local:8080/full'));
    const script = `fetch('http://order.shop:8080/from-node').then((a) => a.text()).then(console.log)`;
    await says(/^order says \/from-node$/m, process.execPath, '--eval', script);
    await says(/^stock says \/from-python$/m, ...python('http://stock:8081/from-python'));
  });

  test('go by mTLS alone: who comes past the sidecar is not let in', async (t) => {
    if (hosts === undefined) {
      t.skip(missing);
      return;
    }
    const { one, other } = hosts;
    const plain = await hosts.run(one, ...curl(`http://${other.address}:8080/`));
    assert.notEqual(plain.code, 0, plain.output);
    // A certificate of nobody: what comes by TLS must be of this mesh.
    const anonymous = await hosts.run(one, ...curl('--insecure', `https://${other.address}:8080/`));
    assert.notEqual(anonymous.code, 0, anonymous.output);
  });

  test('are who they are: a policy that names another caller refuses them', async (t) => {
    if (hosts === undefined) {
      t.skip(missing);
      return;
    }
    const { one, other } = hosts;
    writeFileSync(rulesFile, rules(one.address, other.address, 'report'));
    await says(/^403$/, ...curl('-o', '/dev/null', '-w', '%{http_code}', 'http://order:8080/'));
    writeFileSync(rulesFile, rules(one.address, other.address, 'web'));
    await says(/^order says \/again$/, ...curl('http://order:8080/again'));
  });

  test('go on when the control plane is gone', async (t) => {
    if (hosts === undefined) {
      t.skip(missing);
      return;
    }
    const [plane] = started;
    plane?.child.kill('SIGKILL');
    await plane?.exited;
    await says(/^order says \/alone$/, ...curl('http://order:8080/alone'));
    await says(/^stock says \/alone$/m, ...python('http://stock:8081/alone'));
  });
});
