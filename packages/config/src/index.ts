export { ConsulStore, type ConsulStoreOptions } from './adapters/consul/consul-store.ts';
export { NacosStore, type NacosStoreOptions } from './adapters/nacos/nacos-store.ts';
export { EtcdStore, type EtcdStoreOptions } from './adapters/etcd/etcd-store.ts';
export { GitStore, type GitStoreOptions } from './adapters/git/node/git-store.ts';
export { KubernetesStore, type KubernetesStoreOptions } from './adapters/kubernetes/kubernetes-store.ts';
export { PostgresStore, type PostgresStoreOptions } from './adapters/postgres/postgres-store.ts';
export {
  type ChangePlan,
  type ChangeWords,
  ConfigCentre,
  type ConfigCentreOptions,
} from './centre/config-centre.ts';
export {
  ConfigClient,
  type ConfigClientOptions,
  type ConfigClientState,
  type ConfigListener,
} from './client/config-client.ts';
export { environmentValues } from './client/environment.ts';
export type { Origin } from './client/layers.ts';
export type { SchemaIssue, SchemaResult, StandardSchema } from './client/standard-schema.ts';
export { type OpenConfigOptions, openConfigStore } from './open/open-config-store.ts';
export { isPlace, type Place, placeText, readPlace } from './place/place.ts';
export { RemoteStore, type RemoteStoreOptions } from './remote/remote-store.ts';
export { open, seal, type SealedSecret } from './secret/envelope.ts';
export { type KeyRing, readKeyRing } from './secret/key-ring.ts';
export { Secret } from './secret/secret.ts';
export { type ConfigService, type ConfigServiceOptions, configService } from './server/config-service.ts';
export type { ConfigStore } from './store/config-store.ts';
export { follow, type FollowOptions } from './store/follow.ts';
export { type Audience, isIn } from './version/audience.ts';
export type { Change } from './version/change.ts';
export { type Difference, differences } from './version/difference.ts';
export type { ConfigValue, Values } from './version/values.ts';
export type { Action, ConfigVersion, Gray } from './version/version.ts';
