import { type Given, usageError } from '../command.ts';

/** The database that a command is to look at. A usage error if there is none. */
export function requireDatabase(given: Given): string {
  const url = given.text('database') ?? process.env['HEDDLE_DATABASE_URL'];
  if (url !== undefined) return url;
  throw usageError('expected --database, or a URL in HEDDLE_DATABASE_URL');
}
