import { type Code, HeddleError } from '@heddle/kernel';

/** The number that AMQP has for what the server refused; 0 if it refused nothing. */
export function replyCodeOf(thrown: unknown): number {
  const code: unknown = (thrown as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'number' ? code : 0;
}

/** Numbers that are asked for by name. Source: AMQP 0-9-1, section 1.1. */
export const replyCodes = { accessRefused: 403, notFound: 404, resourceLocked: 405 } as const;

/** Where an error of the client becomes one of ours. */
export function rabbitError(thrown: unknown): HeddleError {
  if (thrown instanceof HeddleError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const make = (code: Code, reason: string, sent: boolean): HeddleError =>
    new HeddleError({ code, reason, message: `RabbitMQ: ${cause.message}`, cause, sent });
  switch (replyCodeOf(thrown)) {
    case 0:
      break;
    case replyCodes.accessRefused:
      return make('permission_denied', 'RABBITMQ_DENIED', false);
    case replyCodes.notFound:
    case replyCodes.resourceLocked:
    case 320: // The server is being stopped.
    case 311: // Too large, or a channel that was closed meanwhile.
    case 504:
      return make('unavailable', 'RABBITMQ_NOT_READY', false);
    default:
      return make('internal', 'RABBITMQ_ERROR', true);
  }
  if (/ACCESS_REFUSED|ACCESS-REFUSED/.test(cause.message))
    return make('permission_denied', 'RABBITMQ_DENIED', false);
  return make(
    'unavailable',
    'RABBITMQ_UNREACHABLE',
    !/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH/.test(cause.message),
  );
}
