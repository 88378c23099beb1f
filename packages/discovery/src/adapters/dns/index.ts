export type { Datagrams } from './datagrams.ts';
export type { DnsClientOptions } from './dns-client.ts';
export type { DnsQuestion } from './dns-instances.ts';
export { type DnsRegistryOptions, dnsRegistry } from './dns-registry.ts';
export { nodeDatagrams } from './node/node-datagrams.ts';
