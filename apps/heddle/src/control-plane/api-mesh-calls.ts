import type { Clock } from '@heddle/kernel';
import type { RecordedCall } from '@heddle/mesh/rehearse';
import { loadResources, type ResourceFile } from '@heddle/mesh/resources';
import { translate } from '@heddle/mesh/translate';
import type { SpanData, TelemetryReader } from '@heddle/telemetry';
import { type CallSpan, tracedCalls } from '../rehearse/traced-calls.ts';
import type { MeshScope } from './api-mesh-store.ts';

const hourMs = 3_600_000;
const mostTraces = 1000;
const server = 2;

/** The calls between services of the last hour, by their traces. */
export async function recordedCalls(
  reader: TelemetryReader,
  clock: Clock,
  files: readonly ResourceFile[],
  scope: MeshScope,
): Promise<readonly RecordedCall[]> {
  const model = translate(loadResources(files, scope).resources, scope);
  const toUs = (clock.wallMs() + 1000) * 1000;
  const traces = await reader.search({ fromUs: toUs - hourMs * 1000, toUs, tags: {}, limit: mostTraces });
  return tracedCalls(
    traces.map(({ spans }) => spans.map(callSpan)),
    model,
  );
}

function callSpan({ spanId, parentSpanId, resource, kind, attributes }: SpanData): CallSpan {
  const attribute = (key: string): string | undefined => {
    const value = attributes[key];
    return typeof value === 'string' ? value : undefined;
  };
  return { spanId, parentSpanId, service: resource.service, isServer: kind === server, attribute };
}
