import type { Registry } from '@heddle/discovery';
import { remoteRegistry } from '@heddle/discovery/node';
import type { Address, Runtime } from '@heddle/kernel';
import { usageError } from './command.ts';

/** Reads `host:port`, with brackets round an IPv6 literal. */
export function readAddress(text: string, option: string): Address {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? 0);
  if (match === null || port < 1 || port > 65_535) {
    throw usageError(`${option} expects host:port, as in 127.0.0.1:8090, found "${text}"`);
  }
  return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port };
}

/** The registry of a control plane. The token comes by the environment unless given, where no process list shows it. */
export function controlPlaneRegistry(
  address: Address,
  runtime: Runtime,
  token: string | undefined = process.env['HEDDLE_REGISTRY_TOKEN'],
): Registry {
  const options = { runtime, addresses: [address] };
  return remoteRegistry(token === undefined ? options : { ...options, token });
}
