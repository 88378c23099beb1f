import type { CommandUsage } from '../command.ts';

/** How `heddle events` is called. */
export const eventsUsage: CommandUsage = {
  name: 'events',
  summary: 'Read and follow events, see subscriptions, replay them, rebuild projections',
  words: 'tail|read|subscriptions|parked|drop|replay|rebuild [name] [position]',
  options: {
    database: { type: 'string', value: 'URL', help: 'The database; default HEDDLE_DATABASE_URL' },
    after: {
      type: 'string',
      value: 'POSITION',
      help: 'tail: from behind there; default: the last 10. replay: begin there',
    },
    type: { type: 'string', value: 'TYPE', help: 'tail: events of this type only' },
    limit: { type: 'string', value: 'N', help: 'tail, read: so many at most; tail then ends' },
    for: { type: 'string', value: 'SECONDS', help: 'tail: end after so long' },
    json: { type: 'boolean', help: 'As JSON, an event a line' },
  },
  examples: [
    'heddle events tail                    # what happens, until Ctrl-C',
    'heddle events tail --after 0 --type order.placed --limit 100 --json',
    'heddle events read order-7            # one stream, from its beginning',
    'heddle events subscriptions           # how far each is, and what it has put aside',
    'heddle events parked billing          # why',
    'heddle events drop billing 4711       # leaves that event out for good',
    'heddle events replay billing --after 1000   # its handler sees all from there again',
    'heddle events rebuild order_totals    # empties the table and fills it again',
  ],
};
