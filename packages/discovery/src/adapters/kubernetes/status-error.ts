import { type Code, HeddleError } from '@heddle/kernel';
import type { KubernetesRequest } from './kubernetes-request.ts';

/** What the server's answers mean. */
const meanings: Readonly<Record<number, readonly [code: Code, reason: string, advice: string]>> = {
  400: ['invalid_argument', 'BAD_REQUEST', ''],
  401: ['unauthenticated', 'UNAUTHENTICATED', 'give a valid token or client certificate'],
  403: ['permission_denied', 'FORBIDDEN', 'grant the role that docs/discovery.md lists'],
  404: ['not_found', 'NOT_FOUND', ''],
  409: ['aborted', 'CONFLICT', ''],
  410: ['out_of_range', 'EXPIRED', ''],
  422: ['invalid_argument', 'INVALID', ''],
  429: ['unavailable', 'TOO_MANY_REQUESTS', ''],
};

/** Whether a status says that the object is not there. */
export function isGone(status: number): boolean {
  return status === 404;
}

/** An answer that is a refusal, as an error; `body` is a `Status` object, or whatever a proxy in between says. */
export function refusal({ method, path }: KubernetesRequest, status: number, body: Uint8Array): HeddleError {
  const [code, reason, advice] = meanings[status] ?? ['unavailable', 'API_SERVER_FAILED', ''];
  const said = `${method} ${path}: the API server answered ${status}: ${saying(body)}`;
  return new HeddleError({ code, reason, message: advice === '' ? said : `${said}; ${advice}` });
}

function saying(body: Uint8Array): string {
  const text = new TextDecoder().decode(body.subarray(0, 2000));
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message.slice(0, 300);
  } catch {
    // Not a `Status`.
  }
  return text.replaceAll(/\p{Cc}/gu, ' ').slice(0, 200);
}
