import { queries } from './queries.ts';
import type { SessionView } from './views.ts';

/** What the server refused, in its own words. */
export class Refusal extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

let csrf: string | null = null;

/** Remembers the token that each change must show. */
export function rememberSession(session: SessionView): SessionView {
  csrf = session.csrf;
  return session;
}

/** Asks the server; rejects with a `Refusal`. A path without a slash at its front is one of the console's own API. */
export async function ask<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
  const url = path.startsWith('/') ? path : `/api/console/${path}`;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (csrf !== null) headers['x-heddle-csrf'] = csrf;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await fetch(url, init);
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
  // Who was signed out sees the sign-in again; what was typed stays in the page until then.
  if (response.status === 401 && !url.endsWith('/session'))
    void queries.invalidateQueries({ queryKey: ['session'] });
  throw refusalOf(response.status, text);
}

function refusalOf(status: number, text: string): Refusal {
  try {
    const { reason, message, error } = JSON.parse(text) as Record<string, string>;
    return new Refusal(status, reason ?? 'FAILED', message ?? error ?? text);
  } catch {
    return new Refusal(status, 'FAILED', text.slice(0, 300) || `the server answered ${status}`);
  }
}
