export { isBearer } from './explain/bearer.ts';
export { balance, pickedLoad } from './balance.ts';
export { DecisionLog, type DecisionLogOptions, type RecordQuery } from './explain/decision-log.ts';
export type {
  DecisionRecord,
  RecordedAttempt,
  RecordedCandidate,
  RecordedCause,
  RecordedOutcome,
} from './explain/decision-record.ts';
export { explainService, type Stacks } from './explain/explain-service.ts';
export { explained, explainedAttempt, type ExplainedOptions } from './explain/explained.ts';
export { type LayerLine, linesOf, type NamedLayer, stackOf } from './explain/named-layers.ts';
export { Recording, recording } from './explain/recording.ts';
export type { CountedInstance } from './counted-news.ts';
export type { Guard, GuardOptions, SharedVerdicts, Verdict } from './guard.ts';
export { checkedResolver, type CheckedResolverOptions } from './checked-resolver.ts';
export { httpUpstream, type WayOptions } from './http-upstream.ts';
export { type GroupView, InstanceGroup, type InstanceGroupOptions } from './instance-group.ts';
export { type Held, type Member, priorityOf, type Upstream } from './member.ts';
export { policyByName, policyNames, type PolicySurroundings } from './policy-by-name.ts';
