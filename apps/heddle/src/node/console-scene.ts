import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { readUpState, type UpState } from './data-folder.ts';
import { StartedCli } from './started-cli.ts';

const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/bin'];

/** Chromium on this machine; empty without one. */
export const chromiumPath: string =
  folders.map((folder) => path.join(folder, 'chromium')).find(existsSync) ?? '';

const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const orderBody = JSON.stringify({ userId: 'u00001', items: [{ productId: 'p00001', quantity: 1 }] });

type BrowserState = Awaited<ReturnType<BrowserContext['storageState']>>;

const toolPage =
  '<!doctype html><title>Warehouse</title><h1 id="tool">Stock of the warehouse</h1><script>' +
  'try{document.getElementById("tool").dataset.reached=String(parent.document.title)}catch{document.getElementById("tool").dataset.reached="refused"}</script>';

const alertRules = `groups:
  - name: drill
    rules:
      - alert: FireDrill
        expr: vector(1) > 0
        labels: { severity: warning }
        annotations: { summary: This is a drill. }
`;

const meshRules = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: payment, namespace: shop }
spec:
  hosts: [payment.shop.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 8080, name: grpc, protocol: GRPC }]
  endpoints:
    - { address: 10.0.0.1, labels: { version: v1 } }
    - { address: 10.0.0.2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: payment, namespace: shop }
spec:
  host: payment.shop.example
  subsets:
    - { name: v1, labels: { version: v1 } }
    - { name: v2, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: payment, namespace: shop }
spec:
  hosts: [payment.shop.example]
  http:
    - route:
        - destination: { host: payment.shop.example, subset: v1 }
          weight: 100
        - destination: { host: payment.shop.example, subset: v2 }
          weight: 0
`;

/** For tests: the whole platform with its shop, customers that the test commands, and a browser that is signed in. */
export class ConsoleScene {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), 'heddle-console-'));
  readonly password = 'for-this-test-alone';
  readonly complaints: string[] = [];
  #cli: StartedCli | undefined;
  #state: UpState | undefined;
  readonly meshFolder: string = path.join(this.folder, 'rules');
  readonly alertFolder: string = path.join(this.folder, 'alerts');
  #browser: Browser | undefined;
  #signedIn: BrowserState | undefined;
  #tool: Server | undefined;
  #customers: { stop: () => Promise<void> } | undefined;

  async open(): Promise<void> {
    mkdirSync(this.meshFolder, { recursive: true });
    writeFileSync(path.join(this.meshFolder, 'payment.yaml'), meshRules);
    mkdirSync(this.alertFolder, { recursive: true });
    writeFileSync(path.join(this.alertFolder, 'rules.yaml'), alertRules);
    const tool = await this.#openTool();
    const words = ['up', '--shop', '--no-load', '--checkout', 'saga', '--port', '0', '--console-port', '0'];
    const launching = chromium.launch({ executablePath: chromiumPath, args });
    this.#cli = new StartedCli(
      [...words, '--mesh', this.meshFolder, '--alerts', this.alertFolder, '--data', this.folder],
      {
        HEDDLE_CONSOLE_PASSWORD: this.password,
        HEDDLE_CONSOLE_PAGES: JSON.stringify([
          { name: 'tool', title: 'Warehouse', url: `${tool}/` },
          { name: 'broken', title: 'Old tool', url: `${tool}/broken`, role: 'admin' },
        ]),
      },
    );
    await this.#cli.printed(/\nready\n/);
    this.#state = readUpState(this.folder);
    this.#browser = await launching;
    this.#signedIn = await this.#signIn();
  }

  /** Another tool, as a company may have one: a page in its frame must not reach the console. */
  async #openTool(): Promise<string> {
    const server = createServer((request, response) => {
      const isBroken = request.url?.startsWith('/broken') === true;
      response.writeHead(isBroken ? 503 : 200, { 'content-type': 'text/html; charset=utf-8' }).end(toolPage);
    });
    this.#tool = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Signs in by the form, as people do; others of the scene's pages begin with the session. */
  async #signIn(): Promise<BrowserState> {
    const context = await this.context();
    const page = await this.watched(context);
    await page.goto(this.state.console);
    await page.fill('input[autocomplete=username]', 'admin');
    await page.fill('input[autocomplete=current-password]', this.password);
    await page.keyboard.press('Enter');
    await page.waitForSelector('nav.navigation', { state: 'attached', timeout: 60_000 });
    const state = await context.storageState();
    await context.close();
    return state;
  }

  get state(): UpState {
    if (this.#state === undefined) throw new Error('not open');
    return this.#state;
  }

  /** A page of somebody who has signed in, at a path of the console. */
  async page(place: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await this.context({
      ...options,
      ...(this.#signedIn && { storageState: this.#signedIn }),
    });
    const page = await this.watched(context);
    await page.goto(`${this.state.console}${place}`);
    return page;
  }

  async context(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
    if (this.#browser === undefined) throw new Error('not open');
    return this.#browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US', ...options });
  }

  /** A page whose errors and warnings count as complaints. */
  async watched(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
    return page;
  }

  /** The rules of the mesh as they lie on the disk now. */
  rules(): string {
    return readFileSync(path.join(this.meshFolder, 'payment.yaml'), 'utf8');
  }

  async heddle(...words: readonly string[]): Promise<string> {
    const cli = new StartedCli([...words, '--data', this.folder]);
    await cli.exited;
    return cli.output;
  }

  /** One order through the gateway. */
  async order(): Promise<number> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() };
    const answer = await fetch(`${this.state.gateway}/orders`, { method: 'POST', headers, body: orderBody });
    await answer.arrayBuffer();
    return answer.status;
  }

  /** Orders and looks, one after another, until `rest`. */
  work(): void {
    let going = true;
    const run = async (): Promise<void> => {
      while (going) {
        await this.order().catch(() => 0);
        // A look that fails is a customer's matter; thrown here it would end the process of the tests.
        await fetch(`${this.state.gateway}/products?query=kettle`)
          .then((answer) => answer.arrayBuffer())
          .catch(() => undefined);
        // Enough to be measured, and not so much that the browser gets none of the machine.
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    };
    const running = run();
    this.#customers = {
      stop: () => {
        going = false;
        return running;
      },
    };
  }

  async rest(): Promise<void> {
    await this.#customers?.stop();
    this.#customers = undefined;
  }

  /** A variable that the control plane was started with: where its databases are is in no file. */
  variable(name: string): string {
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        if (!words.includes('control-plane') || !words.includes(path.join(this.folder, 'control-plane')))
          continue;
        const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
      } catch {
        // It has ended meanwhile.
      }
    }
    throw new Error('the control plane does not run');
  }

  async close(): Promise<void> {
    await this.rest();
    await this.#browser?.close();
    this.#tool?.closeAllConnections();
    this.#tool?.close();
    if (this.#cli !== undefined && this.#cli.child.exitCode === null) this.#cli.child.kill('SIGTERM');
    await this.#cli?.exited;
    await new StartedCli(['clean', '--data', this.folder]).exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
