import type { Registry } from '@heddle/discovery';
import { openRegistry, remoteRegistry } from '@heddle/discovery/node';
import { type Address, HeddleError, type Runtime } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import { type CommandOption, type Given, usageError } from './command.ts';
import { believedAuthorities } from './node/believed-authorities.ts';
import { readUpState } from './node/data-folder.ts';

/** Reads `host:port`, with brackets round an IPv6 literal. */
export function readAddress(text: string, option: string): Address {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? 0);
  if (match === null || port < 1 || port > 65_535) {
    throw usageError(`${option} expects host:port, as in 127.0.0.1:8090, found "${text}"`);
  }
  return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port };
}

/** Where a control plane is, and how to speak with it. */
export interface PlanePlace {
  readonly address: Address;
  /** As an authority of HTTP has it. */
  readonly authority: string;
  /** Undefined: in plaintext. */
  readonly tls: EndpointTls | undefined;
}

/**
 * Reads where a control plane is: `host:port`, or `https://host:port` for one that speaks TLS, which is then verified by
 * the authorities in the file that `HEDDLE_ROOTS` names (default: those that Node comes with).
 */
export function readPlanePlace(text: string, option: string): PlanePlace {
  const [, scheme, place = ''] = /^(?:(https?):\/\/)?(.*?)\/?$/.exec(text) ?? [];
  const address = readAddress(place, option);
  if (scheme !== 'https') return { address, authority: place, tls: undefined };
  const file = process.env['HEDDLE_ROOTS'] ?? '';
  const source = file === '' ? { current: { identities: [] } } : believedAuthorities(file);
  return { address, authority: place, tls: { source } };
}

/** The registry of a control plane. The token comes by the environment unless given, where no process list shows it. */
export function controlPlaneRegistry(
  { address, tls }: Pick<PlanePlace, 'address' | 'tls'>,
  runtime: Runtime,
  token: string | undefined = process.env['HEDDLE_REGISTRY_TOKEN'],
): Registry {
  const options = { runtime, addresses: [address], tls };
  return remoteRegistry(token === undefined ? options : { ...options, token });
}

/** The options of every command that works on a registry. */
export const registryOptions: Readonly<Record<string, CommandOption>> = {
  registry: {
    type: 'string',
    value: 'URL',
    help: 'consul://host:8500, k8s: … (docs/discovery.md)',
  },
  data: {
    type: 'string',
    value: 'DIR',
    help: 'Folder of the running "heddle up"; default .heddle',
  },
};

/** A registry, and its name for people. */
export interface ChosenRegistry {
  readonly registry: Registry;
  readonly name: string;
}

/** The registry that the user has chosen: by a URL of any backend, by a control plane's host:port, or the running `up`'s. */
export async function chosenRegistry(given: Given, runtime: Runtime): Promise<ChosenRegistry> {
  const url = given.text('registry');
  if (url !== undefined) return { registry: await registryAt(url, runtime), name: url };
  const { console, token } = readUpState(given.text('data') ?? '.heddle');
  return {
    registry: controlPlaneRegistry(readPlanePlace(console, '--data'), runtime, token),
    name: `embedded://${new URL(console).host}`,
  };
}

/** Whether a registry is given as `host:port` or `https://host:port`: a control plane. */
export function isPlace(url: string): boolean {
  return /^(https?:\/\/)?(\[[^\]]*\]|[\w.-]+):\d+\/?$/.test(url);
}

/** The registry at a URL; `host:port` alone, or with `https://`, is a control plane. */
export async function registryAt(url: string, runtime: Runtime): Promise<Registry> {
  if (isPlace(url)) return controlPlaneRegistry(readPlanePlace(url, '--registry'), runtime);
  try {
    return await openRegistry(url, { runtime });
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    throw error.reason === 'BAD_REGISTRY_URL' ? usageError(error.message) : error;
  }
}
