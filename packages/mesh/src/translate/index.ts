export {
  Directory,
  type DirectoryPort,
  type DirectoryService,
  isProtocol,
  protocolOf,
  registeredLabel,
} from './directory.ts';
export { certificateIn } from './gateway-secrets.ts';
export type { MeshInstance } from './instance.ts';
export { MeshTranslation } from './mesh-translation.ts';
export type { TranslateOptions } from './scope.ts';
export { translate } from './translate.ts';
