import { Gather, type HeddleError } from '@heddle/kernel';
import type { Sql } from '@heddle/sql';
import type { Appended } from '../events/event.ts';
import { type AppendRequest, appendAll } from './append.ts';

const mostEventsAtOnce = 2000;

/** Appends what comes at one time together: one commit for all, an outcome for each. */
export function groupCommit(sql: Sql, onAppended: () => void): Gather<AppendRequest, Appended> {
  return new Gather({
    most: mostEventsAtOnce,
    weigh: ({ events }) => events.length,
    keyOf: ({ stream }) => stream,
    send: async (requests): Promise<readonly (Appended | HeddleError)[]> => {
      const outcomes = await appendAll(sql, requests);
      onAppended();
      return outcomes;
    },
    // Two with one new event id: the database refuses all for it.
    alone: (error) => error.is('already_exists'),
  });
}
