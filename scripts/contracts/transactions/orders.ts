// What a process of the fault matrix is started with.
import type { Weather } from './http-service.ts';
import type { KillPoint } from './kill-points.ts';

/** What a process is told. */
export interface Orders {
  readonly pattern: string;
  readonly role: 'coordinator' | 'participant';
  /** Begin the transfers; otherwise only go on with what there is. */
  readonly begin: boolean;
  readonly urls: { readonly center: string; readonly from: string; readonly to: string };
  readonly mariadbPort: number | undefined;
  readonly ports: { readonly coordinator: number; readonly participant: number };
  readonly kill: KillPoint | undefined;
  readonly weather: Weather;
}
