export { type MariadbTccHandlers, mariadbTccService } from './mariadb-tcc-service.ts';
export { tcc, TccBuilder, type TccBranch, type TccOptions } from './tcc.ts';
export {
  type TccAnswer,
  type TccHandlers,
  type TccRequest,
  type TccService,
  tccService,
} from './tcc-service.ts';
