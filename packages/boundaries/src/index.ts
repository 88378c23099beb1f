export { type CoupledPair, type Coupling, couplingOf } from './coupling/coupling.ts';
export type { CouplingPart } from './coupling/pair-table.ts';
export { type Drift, driftOf } from './drift/drift.ts';
export { type Plan, type PlannedService, planOfReport, planOfToday, readPlan } from './drift/plan.ts';
export type { Significance } from './grouping/significance.ts';
export { type GroupingOptions, type Solution, type Solutions, solutionsOf } from './grouping/solutions.ts';
export { strongCoupling } from './grouping/strong.ts';
export { type GitHistoryOptions, gitLogFormat, readGitHistory } from './intake/git-history.ts';
export { readOpenApi } from './intake/openapi.ts';
export { readOtlp, type TraceSpan } from './intake/otlp.ts';
export { type ProtoFile, readProtobuf } from './intake/protobuf.ts';
export {
  type RelationTable,
  readRelationTables,
  type TableKind,
  tableKindOf,
} from './intake/relation-table.ts';
export { readServiceCutter } from './intake/service-cutter.ts';
export { readSql, type SqlFile } from './intake/sql.ts';
export { tablesOf } from './intake/sql-statement.ts';
export { systemOfTraces } from './intake/traces.ts';
export { type Assignment, compareAssignments, type Comparison, readReference } from './metrics/compare.ts';
export { type Call, type DecompositionMetrics, decompositionMetrics } from './metrics/decomposition.ts';
export { adjustedRand, mojofm } from './metrics/reference.ts';
export { mergeSystems } from './model/merge.ts';
export { type Checked, placeOf, type Problem } from './model/problem.ts';
export { readSystem } from './model/read-system.ts';
export {
  type Access,
  type Capability,
  capabilityOf,
  type Constraints,
  type Criterion,
  defaultWeights,
  type Dependency,
  type EntityUse,
  type Relation,
  type System,
  systemOf,
  type UseCase,
  unconstrained,
  type Weights,
} from './model/system.ts';
export { driftMarkdown, reportMarkdown } from './report/markdown.ts';
export type { EntityOwner } from './report/ownership.ts';
export { reportPage } from './report/page.ts';
export type { Price, UseCasePrice } from './report/price.ts';
export type { Recommendation } from './report/recommendations.ts';
export { type Alternative, analyse, type BoundariesReport } from './report/report.ts';
export type { ApiContract, Bond, ServiceReport } from './report/services.ts';
export { type LiteralReport, literalRule } from './seed/literal-rule.ts';
