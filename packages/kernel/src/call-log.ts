import type { Call } from './call.ts';
import { correlationId, tenantId, traceContext, userId } from './context.ts';
import type { Log } from './ports/log.ts';

/** The log for what is done on `call`: each line carries the call's trace, span, request, user and tenant. */
export function callLog(call: Call): Log {
  return (level, message, fields) => {
    const all = { ...fields };
    tellCall(call, all);
    call.runtime.log(level, message, all);
  };
}

/** Adds the call's trace, span, request, user and tenant to the fields of a line. For whoever writes one for each request. */
export function tellCall(call: Call, fields: Record<string, unknown>): void {
  const trace = call.get(traceContext);
  const request = call.get(correlationId);
  const user = call.get(userId);
  const tenant = call.get(tenantId);
  if (trace !== undefined) {
    fields['traceId'] = trace.traceId;
    fields['spanId'] = trace.spanId;
  }
  if (request !== undefined) fields['requestId'] = request;
  if (user !== undefined) fields['userId'] = user;
  if (tenant !== undefined) fields['tenantId'] = tenant;
}
