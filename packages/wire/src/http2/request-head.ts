import { isAuthorityAgain } from '../http1/authority.ts';
import { isFieldName } from './hpack/header-field.ts';
import type { MessageHead } from './message-head.ts';

/**
 * Why a request head is malformed (RFC 9113 section 8.3.1, RFC 8441 section 4), or undefined if it is not. The
 * section's own faults (`head.problem`) come first.
 */
export function requestProblem(head: MessageHead): string | undefined {
  if (head.problem !== undefined) return head.problem;
  const { method, scheme, path, protocol } = head;
  if (head.status !== undefined) return ':status in a request';
  if (method === undefined || !isToken(method)) return 'no valid :method';
  const authority = head.authority ?? head.host;
  // The rule of HTTP/1.1, so that whoever passes the request on in that version passes on what we have looked at.
  if (authority === undefined || !isAuthorityAgain(authority)) return 'no valid :authority';
  if (head.host !== undefined && head.host.toLowerCase() !== authority.toLowerCase()) {
    return ':authority and host contradict each other';
  }
  if (method === 'CONNECT' && protocol === undefined) {
    return scheme === undefined && path === undefined ? undefined : 'CONNECT with :scheme or :path';
  }
  if (protocol !== undefined && (method !== 'CONNECT' || !isToken(protocol)))
    return ':protocol without CONNECT';
  if (scheme !== 'http' && scheme !== 'https') return 'no valid :scheme';
  if (path === undefined || !isPath(path, method)) return 'no valid :path';
  return undefined;
}

/** Methods and protocols may have upper-case letters, which a field's name may not. */
function isToken(text: string): boolean {
  return isFieldName(text.toLowerCase());
}

/** Begins with a slash, or asks for the server as a whole; no fragment, no controls or spaces, ASCII. */
function isPath(path: string, method: string): boolean {
  if (path.charCodeAt(0) !== 0x2f) return path === '*' && method === 'OPTIONS';
  for (let at = 1; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x23) return false;
  }
  return true;
}
