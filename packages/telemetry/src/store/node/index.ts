export { type DuckDbHistoryOptions, openDuckDbHistory } from './duckdb-history.ts';
