export { InProcessPlane, type InProcessPlaneOptions } from './in-process-plane.ts';
