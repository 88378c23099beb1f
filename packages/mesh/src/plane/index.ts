export { accountOfToken, accountTokenAudience, isAccountToken } from './account-token.ts';
export { ControlPlaneClient, type ControlPlaneClientOptions } from './control-plane-client.ts';
export { ModelFeed, type ModelFeedOptions, type PlaneView } from './model-feed.ts';
export {
  type AskForModel,
  type FollowerStatus,
  ModelFollower,
  type ModelFollowerOptions,
} from './model-follower.ts';
export { assignmentPart, clusterPart, servicePart, workloadPart } from './model-parts.ts';
export {
  type ModelAnswer,
  type ModelQuestion,
  type OwnPlane,
  type PartRefusal,
  readAnswer,
  readQuestion,
} from './plane-messages.ts';
export { type OwnLimit, ownLimits } from './own-limits.ts';
