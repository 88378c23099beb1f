import type { Contract } from '../contract/contract.ts';
import { operationsOf } from '../operation/operations.ts';
import { asyncapiChanges } from './asyncapi-changes.ts';
import type { ContractChange } from './contract-change.ts';
import { openapiChanges } from './openapi-changes.ts';
import { protoChanges } from './proto-changes.ts';
import type { ProtoCategory } from './proto-rules.ts';

const order = { breaking: 0, warning: 1, compatible: 2 };

/**
 * All that differs between two versions of a contract, what breaks first. `category`: which of buf's promises are kept for
 * gRPC; default `PACKAGE`. Throws `BAD_CONTRACT` for descriptors that are none.
 */
export function contractChanges(
  before: Contract,
  after: Contract,
  category: ProtoCategory = 'PACKAGE',
): readonly ContractChange[] {
  return [
    ...openapiChanges(before.openapi ?? {}, after.openapi ?? {}),
    ...asyncapiChanges(before.asyncapi ?? {}, after.asyncapi ?? {}),
    ...protoChanges(before, after, category),
    ...servedChanges(before, after),
  ].toSorted((a, b) => order[a.level] - order[b.level]);
}

/** A gRPC service may go on being described, and not be served any more. */
function servedChanges(before: Contract, after: Contract): ContractChange[] {
  if (before.services === undefined || after.services === undefined) return [];
  const { services } = after;
  const described = new Set(operationsOf({ descriptors: after.descriptors }).map(({ id }) => id));
  return operationsOf(before)
    .filter(
      ({ kind, id }) => kind === 'grpc' && described.has(id) && !services.includes(id.split('/')[0] ?? ''),
    )
    .map(({ id }) => ({
      kind: 'grpc',
      level: 'breaking',
      rule: 'PACKAGE_SERVICE_NO_DELETE',
      operations: [id],
      at: id,
      message: 'is described, and no longer served',
    }));
}
