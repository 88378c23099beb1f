export { admit, type Admission } from './admission.ts';
export { injectName, namespaceLabel } from './inject-decision.ts';
export {
  defaultImages,
  defaultResources,
  healthPort,
  type InjectSettings,
  type ProxyKind,
  sidecarName,
  type SidecarResources,
} from './inject-settings.ts';
export { statusName } from './inject-status.ts';
export { type InjectedTexts, injectTexts, type InjectTextOptions, type ManifestText } from './inject-text.ts';
