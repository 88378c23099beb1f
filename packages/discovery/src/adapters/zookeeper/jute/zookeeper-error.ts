import { type Code, HeddleError } from '@heddle/kernel';

/** Error numbers of ZooKeeper (`KeeperException.Code`) that a registry has to tell apart. */
export const zkErrors = {
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  authFailed: -115,
  sessionMoved: -118,
} as const;

const meanings: Readonly<Record<number, readonly [Code, string, string]>> = {
  [zkErrors.noNode]: ['not_found', 'NO_NODE', 'there is no such node'],
  [zkErrors.noAuth]: [
    'permission_denied',
    'NO_AUTH',
    'these credentials may not do that; check user, password and ACL',
  ],
  [zkErrors.badVersion]: ['aborted', 'BAD_VERSION', 'somebody else has changed it meanwhile'],
  [zkErrors.noChildrenForEphemerals]: ['failed_precondition', 'EPHEMERAL_PARENT', 'its parent is ephemeral'],
  [zkErrors.nodeExists]: ['already_exists', 'NODE_EXISTS', 'there is such a node already'],
  [zkErrors.notEmpty]: ['failed_precondition', 'NOT_EMPTY', 'it has children'],
  [zkErrors.sessionExpired]: ['unavailable', 'SESSION_EXPIRED', 'the session has expired'],
  [zkErrors.authFailed]: ['unauthenticated', 'AUTH_FAILED', 'these credentials are refused'],
  [zkErrors.sessionMoved]: ['unavailable', 'SESSION_MOVED', 'the session goes on at another server'],
};

/** A refusal of the server. `what` is for people: the request and its path. */
export function zooKeeperError(number: number, what: string): HeddleError {
  const [code, reason, text] = meanings[number] ?? ['unknown', 'ZOOKEEPER_ERROR', `error ${number}`];
  return new HeddleError({ code, reason, message: `ZooKeeper, ${what}: ${text}` });
}
