export { SpiffeWorkloadAPI } from '../gen/spiffe/workload_pb.ts';
export type { WorkloadTokens } from './jwt-profile.ts';
export {
  workloadApi,
  type WorkloadApiHandlers,
  type WorkloadApiOptions,
  workloadHeader,
  type WorkloadIdentity,
} from './workload-api.ts';
