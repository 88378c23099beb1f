import { HeddleError } from '@heddle/kernel';
import type { StoredEvent } from '../events/event.ts';

/** How events of older shapes become those of today: by type, then by the schema version that it starts from. */
export type Upcasts = Readonly<Record<string, Readonly<Record<number, (data: never) => unknown>>>>;

/**
 * Makes a reader of old events: each is taken from version to version until there is no step from where it is. What is
 * stored stays as it is. A step that throws is `data_loss` / `UPCAST_FAILED`, naming event and step.
 */
export function upcaster(upcasts: Upcasts): (event: StoredEvent) => StoredEvent {
  return (event) => {
    const steps = upcasts[event.type];
    if (steps === undefined) return event;
    let { data, schemaVersion } = event;
    for (let step = steps[schemaVersion]; step !== undefined; step = steps[schemaVersion]) {
      try {
        data = step(data as never);
      } catch (thrown) {
        const from = `event ${event.id} (${event.type}, version ${event.version} of ${event.stream})`;
        const message = `${from} cannot be brought from schema ${schemaVersion} to ${schemaVersion + 1}`;
        throw new HeddleError({ code: 'data_loss', reason: 'UPCAST_FAILED', message, cause: thrown });
      }
      schemaVersion += 1;
    }
    return { ...event, data, schemaVersion };
  };
}
