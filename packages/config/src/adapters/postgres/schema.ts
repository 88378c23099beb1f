import type { Migration } from '@heddle/sql';

/** The one table of the config centre: a log for each place. */
export const migrations: readonly Migration[] = [
  {
    id: '0001-config-versions',
    sql: `
      CREATE TABLE heddle_config_versions (
        place text COLLATE "C" NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        content json NOT NULL,
        PRIMARY KEY (place, version)
      );
    `,
  },
];

/** Where a change is told of; the payload is the place. */
export const wakeChannel = 'heddle_config';
