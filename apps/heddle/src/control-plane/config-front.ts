import { ConfigCentre, configService, type ConfigStore, openConfigStore } from '@heddle/config';
import { encodeError } from '@heddle/discovery/clients';
import { HeddleError, type Part, type Runtime } from '@heddle/kernel';
import { Fields, type HttpRequest, type HttpService, statusOfCode, wholeBody } from '@heddle/wire';
import { type PlaceSchemas, schemaOf } from '../settings/schemas.ts';

/** How a control plane serves the config centre. */
export interface ConfigFrontOptions {
  readonly runtime: Runtime;
  /** Where values are kept; undefined: there is no config centre here, and whoever asks is told so. */
  readonly url: string | undefined;
  /** A token or password of the store. */
  readonly secret: string | undefined;
  readonly schemas: PlaceSchemas;
  /** Of those who read: the registry's. */
  readonly readToken: string;
  /** Of those who change; undefined: nobody does, through this control plane. */
  readonly writeToken: string | undefined;
}

/** The config centre of a control plane. */
export interface ConfigFront {
  readonly part: Part;
  readonly store: ConfigStore | undefined;
  /** For the console. */
  readonly centre: ConfigCentre | undefined;
  readonly service: HttpService;
}

/** Opens the store, and serves it under `/v1/config`. Rejects when the store cannot be opened. */
export async function configFront(options: ConfigFrontOptions): Promise<ConfigFront> {
  const { runtime, url, secret, schemas, readToken, writeToken } = options;
  if (url === undefined) return { part: idle(), store: undefined, centre: undefined, service: absent };
  const store = await openConfigStore(url, {
    runtime,
    secret,
    readText: () => Promise.reject(new Error('not by this program')),
    variable: (name) => process.env[name],
  });
  const centre = new ConfigCentre({ runtime, store, schemaOf: schemaOf(schemas) });
  const nobody = Buffer.from(runtime.random.bytes(32)).toString('hex');
  const { service, close } = configService({ runtime, centre, readToken, writeToken: writeToken ?? nobody });
  return {
    store,
    centre,
    service,
    part: {
      name: 'config centre',
      start: () => Promise.resolve(),
      // Its watches never end by themselves, and the server waits for them.
      drain: async () => close(),
      stop: () => store.close(),
    },
  };
}

/** Whether a request is for the config centre. */
export function isConfigRequest({ path }: HttpRequest): boolean {
  return /^\/v1\/config(?:[/?]|$)/.test(path);
}

function idle(): Part {
  return { name: 'config centre', start: () => Promise.resolve(), stop: () => Promise.resolve() };
}

const absent: HttpService = async () => {
  const message =
    'this control plane has no config centre: start it with --config-store URL (docs/config.md); "heddle up" brings one along';
  const error = new HeddleError({ code: 'unimplemented', reason: 'NO_CONFIG_CENTRE', message });
  const fields = Fields.of({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  return { status: statusOfCode(error.code), fields, body: wholeBody(encodeError(error)) };
};
