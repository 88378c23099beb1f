export { type MortalRuntime, mortalRuntime } from '@heddle/kernel/testing';
export {
  missingNeeds,
  type RegistryCase,
  type RegistryNeed,
  rejects,
  user,
  userIds,
} from './registry-cases.ts';
export { registryCases, registryContract } from './registry-contract.ts';
export {
  type RegistryAbility,
  type RegistryDoor,
  type RegistryDoors,
  type RegistryFaults,
  type RegistryLacks,
  type RegistryStage,
  registryAbilities,
  seenWithin,
  until,
} from './registry-stage.ts';
export { type ServerStageOptions, serverStage } from './server-stage.ts';
export { type TcpProxy, tcpProxy } from './tcp-proxy.ts';
export { recordWatch, type WatchRecord } from './watch-record.ts';
