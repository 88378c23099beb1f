import {
  ConfigClient,
  type ConfigStore,
  openConfigStore,
  readPlace,
  type StandardSchema,
} from '@heddle/config';
import { HeddleError, type Layer, type Part, type Runtime } from '@heddle/kernel';
import { timeout } from '@heddle/traffic';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import type { ServiceName } from './service-name.ts';

/** What of a service of the shop can be set while it runs. */
export interface ShopSettings {
  /** Longest that a request may take: a customer would have left. */
  readonly timeoutMs: number;
}

const defaults = { timeoutMs: 10_000 };

/** What the places `…/shop/<service>` may hold. */
export const shopSettings: StandardSchema<ShopSettings> = {
  '~standard': {
    version: 1,
    vendor: 'shop',
    validate: (value) => {
      const { timeoutMs, ...others } = value as Readonly<Record<string, unknown>>;
      const issues = Object.keys(others).map((name) => ({ message: 'unknown', path: [name] }));
      if (
        typeof timeoutMs !== 'number' ||
        !Number.isInteger(timeoutMs) ||
        timeoutMs < 1 ||
        timeoutMs > 60_000
      )
        issues.push({ message: 'expected a whole number from 1 to 60000', path: ['timeoutMs'] });
      return issues.length > 0 ? { issues } : { value: { timeoutMs: timeoutMs as number } };
    },
  },
};

/** The settings of a service, live; a part that starts before what uses them. */
export interface Settings extends Part {
  readonly client: ConfigClient<ShopSettings>;
}

/** From defaults, variables `SHOP_SETTING_…`, and the config centre at HEDDLE_CONFIG, if there is one. */
export function settingsOf(
  name: ServiceName,
  instance: string,
  environment: Readonly<Record<string, string | undefined>>,
  runtime: Runtime,
): Settings {
  const url = environment['HEDDLE_CONFIG'] ?? '';
  let store: ConfigStore | undefined;
  let client = clientOf(undefined);
  function clientOf(at: ConfigStore | undefined): ConfigClient<ShopSettings> {
    const places = [readPlace(`${environment['HEDDLE_ENVIRONMENT'] ?? 'default'}/shop/${name}`)];
    return new ConfigClient({
      runtime,
      schema: shopSettings,
      instance,
      defaults,
      environment: { prefix: 'SHOP_SETTING', variables: environment },
      ...(at !== undefined && { centre: { store: at, places } }),
      lastGoodPath: `settings/${name}.json`,
      withoutCentre: 'start',
    });
  }
  return {
    name: 'settings',
    get client() {
      return client;
    },
    start: async () => {
      if (url !== '') {
        store = await openConfigStore(url, {
          runtime,
          secret: environment['HEDDLE_CONFIG_TOKEN'],
          readText: () => Promise.reject(noFiles()),
          variable: (variable) => environment[variable],
        });
        client = clientOf(store);
      }
      await client.start();
    },
    stop: async () => {
      await client.stop();
      await store?.close();
    },
  };
}

/** Holds requests to the time that the settings allow at the moment. */
export function settableTimeout(settings: Settings): Layer<HttpRequest, HttpResponse> {
  return (next) => {
    const made = new Map<number, ReturnType<Layer<HttpRequest, HttpResponse>>>();
    return (request, call) => {
      const { timeoutMs } = settings.client.current;
      let service = made.get(timeoutMs);
      if (service === undefined) {
        // One at a time: what was set before is not used any more.
        made.clear();
        service = timeout<HttpRequest, HttpResponse>({ ms: timeoutMs })(next);
        made.set(timeoutMs, service);
      }
      return service(request, call);
    };
  };
}

function noFiles(): HeddleError {
  const message = 'the shop reads no files for its settings';
  return new HeddleError({ code: 'failed_precondition', reason: 'NO_FILES', message, sent: false });
}
