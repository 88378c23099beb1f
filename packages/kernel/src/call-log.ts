import type { Call } from './call.ts';
import { correlationId, tenantId, traceContext, userId } from './context.ts';
import type { Log } from './ports/log.ts';

/** The log for what is done on `call`: each line carries the call's trace, span, request, user and tenant. */
export function callLog(call: Call): Log {
  return (level, message, fields) => {
    const trace = call.get(traceContext);
    const request = call.get(correlationId);
    const user = call.get(userId);
    const tenant = call.get(tenantId);
    call.runtime.log(level, message, {
      ...fields,
      ...(trace !== undefined && { traceId: trace.traceId, spanId: trace.spanId }),
      ...(request !== undefined && { requestId: request }),
      ...(user !== undefined && { userId: user }),
      ...(tenant !== undefined && { tenantId: tenant }),
    });
  };
}
