import type { Migration, Sql } from '@heddle/sql';
import type { Notice } from './notice.ts';

/** The schema of the notification service's own database. */
export const notificationMigrations: readonly Migration[] = [
  {
    id: '0001-notices',
    sql: `CREATE TABLE notices (
      notice_id text PRIMARY KEY,
      idempotency_key text NOT NULL UNIQUE,
      user_id text NOT NULL,
      order_id text NOT NULL,
      subject text NOT NULL,
      body text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX notices_order ON notices (order_id);
    CREATE INDEX notices_user ON notices (user_id, created_at);`,
  },
];

interface NoticeRow {
  readonly notice_id: string;
  readonly user_id: string;
  readonly order_id: string;
  readonly subject: string;
  readonly body: string;
}

/** Puts the letter into the customer's box, once per key. Returns whether it was new. */
export async function addNotice(sql: Sql, notice: Notice, key: string): Promise<boolean> {
  const { noticeId, userId, orderId, subject, text } = notice;
  const inserted = await sql.execute(
    `INSERT INTO notices (notice_id, idempotency_key, user_id, order_id, subject, body)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (idempotency_key) DO NOTHING`,
    [noticeId, key, userId, orderId, subject, text],
  );
  return inserted === 1;
}

/** The newest 50 letters of a customer or about an order. */
export async function listNotices(sql: Sql, by: 'user' | 'order', id: string): Promise<readonly Notice[]> {
  const column = by === 'user' ? 'user_id' : 'order_id';
  const rows = await sql.query<NoticeRow>(
    `SELECT notice_id, user_id, order_id, subject, body FROM notices WHERE ${column} = $1 ORDER BY created_at DESC LIMIT 50`,
    [id],
  );
  return rows.map((row) => {
    const { notice_id: noticeId, user_id: userId, order_id: orderId, subject, body: text } = row;
    return { noticeId, userId, orderId, subject, text };
  });
}
