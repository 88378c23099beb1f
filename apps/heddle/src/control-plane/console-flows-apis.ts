import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Contract,
  contractAnswer,
  contractKey,
  contractPath,
  encodeDescriptors,
  messageContract,
  mockService,
} from '@heddle/api';
import { create } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import { remoteRegistry } from '@heddle/discovery/node';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Broker } from '@heddle/messaging';
import { httpServer } from '@heddle/rpc';
import type { Page } from 'playwright-core';
import type { ConsoleScene } from '../node/console-scene.ts';
import { openBrokerAt } from '../node/open-broker.ts';
import { confirmed, limit } from './console-flows.ts';

const runtime = nodeRuntime({ name: 'console-test', logLevel: 'error' });
const evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';

/** A service with all four patterns of gRPC, a topic that it takes messages from and one that it sends to. */
function echoContract(): Contract {
  const field = {
    name: 'text',
    number: 1,
    jsonName: 'text',
    type: FieldDescriptorProto_Type.STRING,
    label: FieldDescriptorProto_Label.OPTIONAL,
  };
  const method = (name: string, clientStreaming: boolean, serverStreaming: boolean): object => {
    return { name, inputType: '.echo.Said', outputType: '.echo.Said', clientStreaming, serverStreaming };
  };
  const file = create(FileDescriptorProtoSchema, {
    name: 'echo.proto',
    package: 'echo',
    syntax: 'proto3',
    messageType: [{ name: 'Said', field: [field] }],
    service: [
      {
        name: 'Echo',
        method: [
          method('Once', false, false),
          method('Down', false, true),
          method('Up', true, false),
          method('Both', true, true),
        ],
      },
    ],
  });
  const schema = { type: 'object', required: ['text'], properties: { text: { type: 'string' } } } as const;
  const topics = {
    'echo.said': { action: 'receive', summary: 'Says it', messages: { said: { schema } } },
    'echo.told': { action: 'send', summary: 'Tells what was said', messages: { told: { schema } } },
  } as const;
  return {
    descriptors: encodeDescriptors([file]),
    services: ['echo.Echo'],
    asyncapi: messageContract({ title: 'echo', version: '1', topics }),
  };
}

/** The catalogue with its try-it, traces beside each other, the layers of values, and what must not run or be done. */
export function apiFlows(scene: ConsoleScene): void {
  tryFlows(scene);
  lookFlows(scene);
  guardFlows(scene);
}

function tryFlows(scene: ConsoleScene): void {
  test(
    'APIs: an operation is searched, read, and tried over HTTP; a key is made and revoked',
    limit,
    async () => {
      const page = await scene.page('/apis?q=somebody');
      await page.click('tr[data-row="user GET /users/{userId}"]');
      await page.waitForSelector('[data-snippet=curl] >> text=curl -s');
      await page.getByLabel('userId (path)').fill('u00001');
      await page.click('[data-try] >> text=Try it');
      await page.waitForSelector('[data-result=ok] [data-output=answer]:has-text("u00001")');
      await page.goto(`${scene.state.console}/apis?tab=keys`);
      await page.getByLabel('Name').fill('partner-7');
      await page.getByLabel('Quota').fill('100');
      await page.click('text=Make a key');
      assert.match((await page.textContent('[data-made=partner-7] pre')) ?? '', /^hdl_[\w-]{43}$/);
      await page.waitForSelector('tr[data-row=partner-7] >> text=100 / day');
      await confirmed(page, 'Revoke');
      await page.waitForSelector('text=There are no API keys.');
      await page.context().close();
    },
  );

  test('APIs: all four patterns of gRPC, and messages, are tried', limit, async (t) => {
    const contract = echoContract();
    const [told, answer] = [contractAnswer({ asyncapi: contract.asyncapi }), mockService(contract)];
    const server = httpServer(async (req, call) => told(req) ?? answer(req, call), { runtime });
    await server.start();
    const { hostname: host, port } = new URL(scene.state.console);
    const registry = remoteRegistry({
      runtime,
      addresses: [{ host, port: Number(port) }],
      token: scene.state.token,
    });
    const broker = await openBrokerAt(scene.variable('HEDDLE_BROKER_URL'), runtime);
    t.after(async () => {
      await registry.close();
      await broker.close();
      await server.stop();
    });
    await broker.bus.createTopic('echo.said', { partitions: 1 });
    await broker.bus.createTopic('echo.told', { partitions: 1 });
    await registry.register({
      id: 'echo-1',
      service: 'echo',
      address: '127.0.0.1',
      port: server.address.port,
      protocol: 'grpc',
      metadata: { [contractKey]: contractPath },
    });
    const page = await scene.page('/apis?service=echo');
    const tried = async (operation: string, content: string): Promise<readonly string[]> => {
      await page.click(`[data-operation="${operation}"]`);
      await page.waitForSelector(`[data-docs="${operation}"]`);
      await page.fill('[data-content]', content);
      await page.click('[data-try] button[type=submit]');
      await page.waitForSelector('[data-result=ok]');
      return page.locator('[data-output]').allTextContents();
    };
    assert.equal((await tried('echo.Echo/Once', '{"text":"a"}')).length, 1);
    assert.ok((await tried('echo.Echo/Down', '{"text":"a"}')).length > 1, 'a stream came back');
    assert.equal((await tried('echo.Echo/Up', '{"text":"a"}\n{"text":"b"}')).length, 1);
    assert.ok((await tried('echo.Echo/Both', '{"text":"a"}\n{"text":"b"}')).length > 1);
    const [published = ''] = await tried('receive echo.said', '{"text":"hello"}');
    const [kept] = await broker.engine.browse('echo.said', 10);
    assert.equal(kept?.message.id, published);
    await page.fill('[data-content]', '{"text":7}');
    await page.click('[data-try] button[type=submit]');
    await page.waitForSelector('[data-result=BAD_MESSAGE]');
    await listensTo(page, broker.bus, 'echo.told');
    await page.context().close();
  });
}

/** What the service sends is listened to, and those whom it is for get all of it nevertheless. */
async function listensTo(page: Page, bus: Broker, topic: string): Promise<void> {
  const [sent, handled] = [new Set<string>(), new Set<string>()];
  const readers = await bus.subscribe(topic, { group: 'readers' }, async ({ message }) => {
    handled.add(message.id);
  });
  await page.click(`[data-operation="send ${topic}"]`);
  await page.waitForSelector(`[data-docs="send ${topic}"]`);
  assert.equal(await page.locator('[data-content]').count(), 0, 'there is nothing to write');
  await page.click('[data-try] >> text=Listen for 5 s');
  const payload = new TextEncoder().encode('{"text":"told"}');
  // From when on it listens is not told to anybody: until it has heard enough, something is always said.
  while (!(await page.isVisible('[data-result=ok]')))
    sent.add((await bus.publish({ topic, type: 'told', payload })).id);
  const heard = await page.locator('[data-output=message]').allTextContents();
  assert.ok(heard.length > 0);
  for (const text of heard) assert.deepEqual(JSON.parse(text).payload, { text: 'told' });
  while (sent.size > handled.size) await sleep(runtime.timers, 20);
  assert.deepEqual(handled, sent);
  await readers.close();
}

function lookFlows(scene: ConsoleScene): void {
  test('two traces are laid over each other', limit, async () => {
    await Promise.all([scene.order(), scene.order()]);
    const page = await scene.page('/traces?operation=POST%20%2Forders&service=gateway');
    await page.click('tr[data-row] >> nth=0');
    await page.click('a:has-text("Compare")');
    await page.click('[data-others] a >> nth=0');
    await page.waitForSelector('table.data tr:has-text("payment"):has-text("Charge")');
    assert.ok(Number(await page.getAttribute('table.data', 'data-rows')) > 5);
    await page.context().close();
  });

  test('where a value of a running instance comes from is shown, layer by layer', limit, async () => {
    const page = await scene.page('/config?place=default/shop/user');
    await page.click('[role=tab]:has-text("Layers")');
    await page.waitForSelector('tr:has-text("timeoutMs") [data-layer=default]');
    await page.click('[role=tab]:has-text("Change")');
    await page.fill('[data-editor]', '{ "timeoutMs": 4321 }');
    await page.click('text=Check and compare');
    await page.waitForSelector('[data-plan=ok] [data-key=timeoutMs]');
    await confirmed(page, 'Publish');
    await page.click('[role=tab]:has-text("Layers")');
    await page.waitForSelector('tr:has-text("timeoutMs"):has-text("Version 1") [data-layer=centre]');
    await page.context().close();
  });
}

function guardFlows(scene: ConsoleScene): void {
  test('a script that was stored in names, values and reasons is shown, and never runs', limit, async () => {
    const page = await scene.page('/config?place=test/shop/evil');
    await page.fill('[data-editor]', JSON.stringify({ note: evil }));
    await page.click('text=Check and compare');
    await page.waitForSelector('[data-plan=ok]');
    await confirmed(page, 'Publish', evil);
    await page.waitForSelector(`td >> text=window.pwned`);
    for (const place of [
      '/config?place=test/shop/evil',
      '/audit',
      `/logs?text=${encodeURIComponent(evil)}`,
      `/apis?q=${encodeURIComponent(evil)}`,
    ]) {
      await page.goto(`${scene.state.console}${place}`);
      await page.waitForSelector('h1');
      await page.waitForSelector('[role=progressbar]', { state: 'detached' });
      assert.equal(await page.evaluate('window.pwned'), undefined, place);
      assert.equal(await page.locator('#main img').count(), 0, place);
    }
    await page.context().close();
    // What would be brought into a page nevertheless is stopped by its policy. Unwatched: the browser complains.
    const unwatched = await (await scene.context()).newPage();
    await unwatched.goto(scene.state.console);
    await unwatched.evaluate(
      'const script = document.createElement("script"); script.textContent = "window.pwned = 1"; document.head.append(script)',
    );
    assert.equal(await unwatched.evaluate('window.pwned'), undefined);
    await unwatched.context().close();
  });

  test(
    'a viewer is shown no button that changes anything, and no page of another role; the server refuses too',
    limit,
    async () => {
      const admin = await scene.page('/users');
      const session = await admin.evaluate<{ csrf: string }>(
        'fetch("/api/console/session").then((one) => one.json())',
      );
      const made = await admin.request.post(`${scene.state.console}/api/console/users`, {
        data: { name: 'vera', role: 'viewer', password: 'a long enough one' },
        headers: { 'x-heddle-csrf': session.csrf },
      });
      assert.equal(made.status(), 200);
      await admin.context().close();
      const page = await (await scene.context()).newPage();
      await page.goto(scene.state.console);
      await page.fill('input[autocomplete=username]', 'vera');
      await page.fill('input[autocomplete=current-password]', 'a long enough one');
      await page.keyboard.press('Enter');
      await page.waitForSelector('[data-tool=tool]');
      assert.equal(await page.locator('[data-tool=broken]').count(), 0, 'a page for admins');
      assert.equal(await page.locator('nav >> text=Users').count(), 0);
      for (const [place, button] of [
        ['/services?name=user', 'Drain'],
        ['/mesh', 'Publish'],
        ['/rollouts', 'Begin a rollout'],
        ['/gateway', 'Roll back'],
      ] as const) {
        await page.goto(`${scene.state.console}${place}`);
        await page.waitForSelector('h1');
        await page.waitForSelector('[role=progressbar]', { state: 'detached' });
        assert.equal(await page.locator(`button:has-text("${button}")`).count(), 0, place);
      }
      const refused = await page.evaluate<number>(
        'fetch("/api/console/session").then((one) => one.json()).then(({ csrf }) => fetch("/api/console/mesh/rollback", { method: "POST", headers: { "content-type": "application/json", "x-heddle-csrf": csrf }, body: "{}" })).then((one) => one.status)',
      );
      assert.equal(refused, 403);
      await page.context().close();
    },
  );
}
