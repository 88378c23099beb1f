export type { RegistryCase } from './registry-cases.ts';
export { registryCases, registryContract } from './registry-contract.ts';
export type { RegistryFaults, RegistryStage } from './registry-stage.ts';
