export { Directory, type DirectoryPort, type DirectoryService, isProtocol, protocolOf } from './directory.ts';
export type { MeshInstance } from './instance.ts';
export type { TranslateOptions } from './scope.ts';
export { translate } from './translate.ts';
