export type { Credentials } from './client/connection.ts';
export { type ThreadedZooKeeperOptions, zooKeeperRegistry } from './node/zookeeper-registry.ts';
export type { ZooKeeperRegistryOptions } from './zookeeper-registry.ts';
