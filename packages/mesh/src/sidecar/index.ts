export { inboundLayers } from './inbound-stack.ts';
export { Sidecar, type SidecarOptions } from './sidecar.ts';
