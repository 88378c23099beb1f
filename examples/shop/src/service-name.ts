/** The services of the shop, by the names under which they are registered. */
export type ServiceName =
  | 'user'
  | 'product'
  | 'inventory'
  | 'payment'
  | 'shipping'
  | 'notification'
  | 'order';
