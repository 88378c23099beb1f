import type { DescEnum, DescMessage, DescMethod, DescService, FileRegistry } from '@bufbuild/protobuf';
import { type Contract } from '../contract/contract.ts';
import { isInfrastructure, readDescriptors } from '../contract/descriptors.ts';
import type { ContractChange } from './contract-change.ts';
import { enumChanges, messageChanges, type ProtoFinding } from './proto-types.ts';
import { isRuleOf, type ProtoCategory } from './proto-rules.ts';
import { usersOf } from './type-users.ts';

/**
 * What differs between the descriptors of two contracts, by the rules of a category: those are breaking; what is new is
 * compatible. Only packages of the service's own are looked at, not those of Google and gRPC.
 */
export function protoChanges(before: Contract, after: Contract, category: ProtoCategory): ContractChange[] {
  const [old, now] = [typesOf(before), typesOf(after)];
  const users = usersOf(old);
  const breaking = [...old]
    .flatMap((type) => findingsOf(type, now))
    .filter(({ rule }) => isRuleOf(rule, category))
    .map(
      ({ rule, type, at, message, method }): ContractChange => ({
        kind: 'grpc',
        level: 'breaking',
        rule,
        operations: method === undefined ? users(type) : [method],
        at,
        message,
      }),
    );
  return [...breaking, ...added(old, now)];
}

type OwnType = DescMessage | DescEnum | DescService;

function typesOf({ descriptors }: Contract): Map<string, OwnType> & Iterable<[string, OwnType]> {
  const types = new Map<string, OwnType>();
  if (descriptors === undefined) return types;
  const registry: FileRegistry = readDescriptors(descriptors);
  for (const type of registry) {
    if (type.kind === 'extension' || isForeign(type.typeName)) continue;
    types.set(type.typeName, type);
  }
  return types;
}

function isForeign(name: string): boolean {
  return isInfrastructure(name) || /^google\.(protobuf|api|rpc)\./.test(name);
}

function findingsOf([name, old]: [string, OwnType], now: ReadonlyMap<string, OwnType>): ProtoFinding[] {
  const other = now.get(name);
  if (other === undefined || other.kind !== old.kind) {
    const rule = (
      {
        service: 'PACKAGE_SERVICE_NO_DELETE',
        message: 'PACKAGE_MESSAGE_NO_DELETE',
        enum: 'PACKAGE_ENUM_NO_DELETE',
      } as const
    )[old.kind];
    return [{ rule, type: name, at: name, message: 'is no longer there' }];
  }
  if (old.kind === 'message') return messageChanges(old, other as DescMessage);
  if (old.kind === 'enum') return enumChanges(old, other as DescEnum);
  const methods = new Map((other as DescService).methods.map((method) => [method.name, method]));
  return old.methods.flatMap((method) => methodChanges(method, methods.get(method.name)));
}

function methodChanges(old: DescMethod, now: DescMethod | undefined): ProtoFinding[] {
  const id = `${old.parent.typeName}/${old.name}`;
  const found = (rule: ProtoFinding['rule'], message: string): ProtoFinding => ({
    rule,
    type: old.parent.typeName,
    method: id,
    at: id,
    message,
  });
  if (now === undefined) return [found('RPC_NO_DELETE', 'is no longer served')];
  const findings: ProtoFinding[] = [];
  if (old.input.typeName !== now.input.typeName)
    findings.push(found('RPC_SAME_REQUEST_TYPE', `took ${old.input.typeName}, takes ${now.input.typeName}`));
  if (old.output.typeName !== now.output.typeName)
    findings.push(
      found('RPC_SAME_RESPONSE_TYPE', `gave ${old.output.typeName}, gives ${now.output.typeName}`),
    );
  if (old.proto.clientStreaming !== now.proto.clientStreaming)
    findings.push(found('RPC_SAME_CLIENT_STREAMING', streamed('takes', now.proto.clientStreaming)));
  if (old.proto.serverStreaming !== now.proto.serverStreaming)
    findings.push(found('RPC_SAME_SERVER_STREAMING', streamed('gives', now.proto.serverStreaming)));
  if (old.idempotency !== now.idempotency)
    findings.push(found('RPC_SAME_IDEMPOTENCY_LEVEL', 'promises something else about being repeated'));
  return findings;
}

function streamed(verb: string, isStream: boolean): string {
  return `${verb} ${isStream ? 'a stream' : 'a single message'} now`;
}

function added(old: ReadonlyMap<string, OwnType>, now: ReadonlyMap<string, OwnType>): ContractChange[] {
  const changes: ContractChange[] = [];
  const add = (rule: string, operations: readonly string[], at: string): void => {
    changes.push({ kind: 'grpc', level: 'compatible', rule, operations, at, message: 'is new' });
  };
  for (const [name, type] of now) {
    const before = old.get(name);
    if (type.kind === 'service') {
      const known = before?.kind === 'service' ? before.methods.map((method) => method.name) : [];
      for (const method of type.methods)
        if (!known.includes(method.name))
          add('rpc-added', [`${name}/${method.name}`], `${name}/${method.name}`);
    } else if (type.kind === 'message' && before?.kind === 'message') {
      for (const { number, name: field } of type.fields)
        if (!before.fields.some((one) => one.number === number)) add('field-added', [], `${name}.${field}`);
    } else if (before === undefined) add(`${type.kind}-added`, [], name);
  }
  return changes;
}
