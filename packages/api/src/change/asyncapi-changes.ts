import { canonical, type JsonObject, textOr } from '../contract/json.ts';
import { messageOperations } from '../operation/message-operations.ts';
import type { MessageOperationIn } from '../operation/operation.ts';
import type { ChangeLevel, ContractChange } from './contract-change.ts';
import { type Documents, schemaChanges } from './schema-changes.ts';

/**
 * What differs between two AsyncAPI documents. What a service sends is a response to those who listen; what it takes is
 * a request of those who send.
 */
export function asyncapiChanges(before: JsonObject, after: JsonObject): ContractChange[] {
  const [olds, nows] = [byId(before), byId(after)];
  const changes: ContractChange[] = [];
  for (const [id, old] of olds) {
    const now = nows.get(id);
    if (now === undefined)
      changes.push(
        made(
          old,
          'breaking',
          'operation-removed',
          '',
          old.action === 'send' ? 'is no longer sent' : 'is no longer taken',
        ),
      );
    else changes.push(...operationChanges(old, now, { before, after }));
  }
  for (const [id, now] of nows)
    if (!olds.has(id)) changes.push(made(now, 'compatible', 'operation-added', '', 'is new'));
  return changes;
}

function byId(document: JsonObject): Map<string, MessageOperationIn> {
  return new Map(messageOperations(document).map((one) => [one.id, one]));
}

function operationChanges(
  old: MessageOperationIn,
  now: MessageOperationIn,
  documents: Documents,
): ContractChange[] {
  const [before, after] = [new Map(old.messages), new Map(now.messages)];
  const isSent = old.action === 'send';
  const changes: ContractChange[] = [];
  for (const [type, message] of before) {
    const other = after.get(type);
    if (other === undefined)
      changes.push(made(old, 'breaking', 'message-removed', type, 'is no longer there'));
    else {
      if ((message['contentType'] ?? json) !== (other['contentType'] ?? json))
        changes.push(
          made(
            old,
            'breaking',
            'content-type-changed',
            type,
            `is ${textOr(other['contentType']) || json} now`,
          ),
        );
      if (canonical(message['foreign'] ?? null) !== canonical(other['foreign'] ?? null))
        changes.push(made(old, 'warning', 'payload-changed', type, 'is in a language that is not compared'));
      const side = isSent ? 'response' : 'request';
      for (const one of schemaChanges(message['payload'], other['payload'], side, documents, ''))
        changes.push(
          made(old, one.level, one.rule, one.at === '' ? type : `${type}: ${one.at}`, one.message),
        );
    }
  }
  // Whoever listens may not know what to do with a kind of message that was not there.
  for (const [type] of after)
    if (!before.has(type))
      changes.push(made(old, isSent ? 'warning' : 'compatible', 'message-added', type, 'is new'));
  return changes;
}

const json = 'application/json';

function made(
  { id }: MessageOperationIn,
  level: ChangeLevel,
  rule: string,
  at: string,
  message: string,
): ContractChange {
  return { kind: 'message', level, rule, operations: [id], at, message };
}
