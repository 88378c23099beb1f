import type { ReactNode } from 'react';
import { moment } from '../texts/format.ts';

/** A point in time in a table: where it is narrow the day stands above the time, and neither is cut. */
export function When({ ms }: { readonly ms: number }): ReactNode {
  const [day = '', time = ''] = moment(ms).split(' ');
  return (
    <span className="id when">
      <span>{day}</span> <span>{time}</span>
    </span>
  );
}
