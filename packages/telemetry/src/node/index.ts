export { processReader } from './process-reading.ts';
