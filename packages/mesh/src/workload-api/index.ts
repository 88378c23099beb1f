export { SpiffeWorkloadAPI } from '../gen/spiffe/workload_pb.ts';
export {
  workloadApi,
  type WorkloadApiHandlers,
  type WorkloadApiOptions,
  workloadHeader,
  type WorkloadIdentity,
  type WorkloadTokens,
} from './workload-api.ts';
