/** What is needed of a connection; those of `mysql2/promise` and of `mariadb` have it. */
export interface MariadbConnection {
  query(sql: string, values?: string[]): Promise<unknown>;
  release(): unknown;
  destroy(): unknown;
}

/** What is needed of a pool; those of `mysql2/promise` and of `mariadb` have it. */
export interface MariadbPool<Connection extends MariadbConnection> {
  getConnection(): Promise<Connection>;
}
