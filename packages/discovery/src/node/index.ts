export { type FolderLock, lockFolder } from '../embedded/node/folder-lock.ts';
export { scriptRunner } from '../health/node/script-runner.ts';
export { type LeaseThreadOptions, leaseThread } from '../remote/node/lease-thread.ts';
export { remoteRegistry, type ThreadedRegistryOptions } from '../remote/node/remote-registry.ts';
export { type OpenOptions, openRegistry } from '../open/node/open-registry.ts';
