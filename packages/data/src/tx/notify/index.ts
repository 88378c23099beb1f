export {
  Notifications,
  type Notification,
  type NotificationOutcome,
  type NotificationsOptions,
  type NotifyAttempt,
  type NotifyRequest,
  standardScheduleMs,
} from './notifications.ts';
export { sign, type SignedHeaders, verifySignature } from './signature.ts';
