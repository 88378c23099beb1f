import type { SpanData } from '../otlp/signal.ts';

const key = 'heddle.source';
const value = 'envoy access log';

/** What spans say that were made of Envoy's access log. */
export const fromEnvoy: Readonly<Record<string, string>> = { [key]: value };

/** Whom an Envoy has called, by its access log; undefined for all other spans. */
export function calledByEnvoy({ kind, attributes }: SpanData): string | undefined {
  if (kind !== 3 || attributes[key] !== value) return undefined;
  const peer = attributes['peer.service'];
  return typeof peer === 'string' ? peer : undefined;
}
