import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { type Code, HeddleError } from '@heddle/kernel';
import type { PayloadSchema } from '../../gen/nacos/nacos_grpc_service_pb.ts';
import type { NacosInstance } from './nacos-instance.ts';

/** What every answer says beside its own. */
export interface NacosAnswer {
  readonly resultCode?: unknown;
  readonly errorCode?: unknown;
  readonly message?: unknown;
  readonly serviceInfo?: ServiceInfo;
  readonly serviceNames?: unknown;
  readonly count?: unknown;
}

/** A service with its instances, as a query and a push have it. */
export interface ServiceInfo {
  readonly name?: unknown;
  readonly groupName?: unknown;
  readonly hosts?: readonly NacosInstance[];
  /** When the server made this, in milliseconds since 1970. */
  readonly lastRefTime?: unknown;
}

/** A message, taken out of its envelope. */
export interface NacosMessage {
  readonly type: string;
  readonly json: Readonly<Record<string, unknown>>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Puts JSON into an envelope. */
export function seal(
  type: string,
  json: object,
  headers: Readonly<Record<string, string>> = {},
): MessageInitShape<typeof PayloadSchema> {
  return {
    metadata: { type, headers: { ...headers } },
    body: { value: encoder.encode(JSON.stringify(json)) },
  };
}

/** Takes a message out. Throws `data_loss` / `BAD_MESSAGE` for what is no JSON object. */
export function unseal({ metadata, body }: MessageShape<typeof PayloadSchema>): NacosMessage {
  const type = metadata?.type ?? '';
  const text = decoder.decode(body?.value ?? new Uint8Array(0));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  if (typeof json === 'object' && json !== null) return { type, json: { ...json } };
  const message = `Nacos, ${type}: expected a JSON object, found ${text.slice(0, 80)}`;
  throw new HeddleError({ code: 'data_loss', reason: 'BAD_MESSAGE', message });
}

const unregistered = 301;

/** Throws what an answer refuses: `unavailable` / `CONNECTION_LOST` if the server does not know the connection. */
export function checkAnswer(asked: string, { resultCode, errorCode, message }: NacosAnswer): void {
  if (resultCode === 200) return;
  const text = `Nacos, ${asked}: ${String(message)} (error ${String(errorCode)})`;
  if (errorCode === unregistered)
    throw new HeddleError({ code: 'unavailable', reason: 'CONNECTION_LOST', message: text, sent: false });
  throw new HeddleError({ code: codeOf(errorCode), reason: 'REGISTRY_REFUSED', message: text });
}

function codeOf(errorCode: unknown): Code {
  if (errorCode === 401) return 'unauthenticated';
  if (errorCode === 403) return 'permission_denied';
  if (errorCode === 400) return 'invalid_argument';
  return 'unavailable';
}
