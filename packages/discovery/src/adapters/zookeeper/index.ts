export type { Credentials } from './client/connection.ts';
export { type ThreadedZooKeeperOptions, zooKeeperRegistry } from './node/zookeeper-registry.ts';
export {
  type ZooKeeperRegistryOptions,
  zooKeeperRegistry as zooKeeperRegistryWithoutThread,
} from './zookeeper-registry.ts';
