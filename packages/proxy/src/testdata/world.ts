import assert from 'node:assert/strict';
import { Call, type Runtime, settle, userId } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { MetricRegistry } from '@heddle/telemetry';
import { emptyBody, Fields, type HttpRequest, type HttpResponse, type HttpService, peer } from '@heddle/wire';
import { Gateway } from '../gateway.ts';
import { loadGatewayConfig } from '../model/gateway-config.ts';

/** A gateway before upstreams that are functions; each notes what it was asked for. */
export class World {
  readonly time: VirtualTime = new VirtualTime();
  readonly asked: { readonly at: string; readonly req: HttpRequest }[] = [];
  readonly runtime: Runtime;
  readonly gateway: Gateway;
  /** Instances whose connections were closed. */
  readonly closed: string[] = [];
  readonly accessLog: string[] = [];
  answerFields: Fields = new Fields();
  answerStatus = 200;
  /** Before each answer. */
  hold: () => Promise<void> = async () => {};

  /** With these routes only. */
  static of(...routes: object[]): World {
    return new World({ routes });
  }

  /** By a file as it is written. */
  static reading(content: string): World {
    return new World(content);
  }

  constructor(document: object | string, secrets: Readonly<Record<string, string>> = {}) {
    const { clock, timers } = this.time;
    this.runtime = { clock, timers, random: seededRandom(7), log: () => {} } as unknown as Runtime;
    const config = loadGatewayConfig(
      typeof document === 'string' ? document : JSON.stringify(document),
      'test',
    );
    this.gateway = new Gateway({
      config,
      runtime: this.runtime,
      secrets: (name) => secrets[name],
      metrics: new MetricRegistry(),
      writeAccess: (line) => this.accessLog.push(line),
      connect: ({ port }) => {
        const service: HttpService = async (req) => {
          this.asked.push({ at: String(port), req });
          await this.hold();
          return { status: this.answerStatus, fields: this.answerFields.clone(), body: emptyBody };
        };
        const endpoint = {
          request: service,
          connect: async () => {},
          state: 'ready' as const,
          inFlight: 0,
          onState: () => () => {},
          drain: async () => {
            this.closed.push(String(port));
          },
          close: () => {},
        };
        return { endpoint, service };
      },
    });
  }

  send(
    path: string,
    headers: Record<string, string> = {},
    change: Partial<HttpRequest> & { user?: string; from?: string } = {},
  ): Promise<HttpResponse> {
    return this.time.run(this.start(path, headers, change));
  }

  /** As `send`, but time stands still. */
  start(
    path: string,
    headers: Record<string, string> = {},
    change: Partial<HttpRequest> & { user?: string; from?: string } = {},
  ): Promise<HttpResponse> {
    const call = Call.root(this.runtime);
    if (change.user !== undefined) call.set(userId, change.user);
    if (change.from !== undefined) call.set(peer, { address: { host: change.from, port: 1 } });
    const fields = Fields.of(headers);
    const req = {
      method: 'GET',
      scheme: 'http' as const,
      authority: 'a',
      path,
      fields,
      body: emptyBody,
      ...change,
    };
    return settle(this.gateway.service, req, call).then((result) => {
      assert.ok(result.ok, 'the gateway answers everything');
      return result.value;
    });
  }

  /** How many of `count` requests each upstream got. */
  async spread(
    count: number,
    headersOf: (n: number) => Record<string, string>,
  ): Promise<Record<string, number>> {
    this.asked.length = 0;
    for (let n = 0; n < count; n++) await this.send('/', headersOf(n));
    const counts: Record<string, number> = {};
    for (const { at } of this.asked) counts[at] = (counts[at] ?? 0) + 1;
    return counts;
  }
}
