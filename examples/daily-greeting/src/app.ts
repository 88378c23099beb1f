import type { Registry } from '@heddle/discovery';
import { App, type Part, type Registration, type Runtime } from '@heddle/kernel';
import { registration, type RpcServer, rpcServer } from '@heddle/rpc';
import { DailyGreetingService } from './gen/daily_greeting/v1/daily_greeting_pb.ts';
import { greeting } from './greeting.ts';
import type { Settings } from './settings.ts';

/** The name under which it is found. */
export const serviceName = 'daily-greeting';

/** What an instance is made from. */
export interface DailyGreetingOptions {
  readonly runtime: Runtime;
  /** Closed with the instance. */
  readonly registry: Registry;
  readonly settings: Pick<Settings, 'host' | 'port' | 'advertise' | 'version' | 'register'>;
  /** Started before the server, stopped after it. */
  readonly parts?: readonly Part[];
}

/** One instance: serves, registers itself, keeps its lease; leaves the registry first when it is stopped. */
export function dailyGreetingApp({ runtime, registry, settings, parts = [] }: DailyGreetingOptions): App {
  const { host, port, advertise, version, register } = settings;
  const server = rpcServer({
    runtime,
    address: { host, port },
    timeoutMs: 10_000,
    // So that `grpcurl` and `heddle` can ask what it serves. Off if strangers can reach the port.
    reflection: true,
    routes: (router) =>
      router.service(DailyGreetingService, {
        greet: ({ name }) => ({ text: greeting(name), instance: `${advertise}:${server.address.port}` }),
      }),
  });
  const instance = () => ({
    service: serviceName,
    address: advertise,
    port: server.address.port,
    version,
    // Answers gRPC, gRPC-Web and Connect (plain JSON by POST) on one port.
    metadata: { protocols: 'grpc,http' },
  });
  const closing = { name: 'registry', start: () => Promise.resolve(), stop: () => registry.close() };
  return new App({
    name: serviceName,
    runtime,
    parts: [...parts, closing, server],
    registrations: [
      register ? registration({ runtime, registry, instance, health: server.health }) : readiness(server),
    ],
  });
}

/** Says that it serves to whoever asks, as a readiness probe does, and tells no registry. */
function readiness({ health }: RpcServer): Registration {
  const set = (serving: boolean) => async (): Promise<void> => health.setAll(serving);
  return { name: 'readiness', register: set(true), deregister: set(false) };
}
