import { argon2, timingSafeEqual } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { compare } from 'bcryptjs';

/** Compares passwords with one hash. The hash was well formed when it was made. */
export interface PasswordHash {
  matches(password: string): Promise<boolean>;
}

const argonShape =
  /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,172})$/;
const bcryptShape = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/**
 * Reads a stored hash in the usual form: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, or bcrypt's `$2b$12$…`. Throws
 * `invalid_argument` / `BAD_PASSWORD_HASH` for others, and for costs that are too low to protect or too high to serve.
 */
export function passwordHash(stored: string): PasswordHash {
  const argon = argonShape.exec(stored);
  if (argon !== null) return argonHash(argon);
  const bcrypt = bcryptShape.exec(stored);
  if (bcrypt === null) throw badHash('expected $argon2id$v=19$m=…,t=…,p=…$salt$hash or $2b$cost$…');
  const cost = Number(bcrypt[1]);
  if (cost < 10 || cost > 15) throw badHash(`expected a cost of bcrypt from 10 to 15, found ${cost}`);
  return {
    // bcrypt reads 72 bytes and ignores the rest: a longer password is refused, not cut.
    matches: async (password) => Buffer.byteLength(password) <= 72 && compare(password, stored),
  };
}

function argonHash([, m, t, p, salt = '', hash = '']: RegExpExecArray): PasswordHash {
  const [memory, passes, parallelism] = [Number(m), Number(t), Number(p)];
  const holds =
    memory >= 8192 &&
    memory <= 262_144 &&
    passes >= 1 &&
    passes <= 10 &&
    parallelism >= 1 &&
    parallelism <= 8;
  if (!holds) throw badHash('expected m from 8192 to 262144 KiB, t from 1 to 10, p from 1 to 8');
  const [nonce, expected] = [Buffer.from(salt, 'base64'), Buffer.from(hash, 'base64')];
  return {
    matches: (password) =>
      new Promise((resolve, reject) => {
        const message = Buffer.from(password);
        const parameters = { message, nonce, parallelism, tagLength: expected.length, memory, passes };
        argon2('argon2id', parameters, (error, made) => {
          if (error === null) resolve(timingSafeEqual(made, expected));
          else reject(error);
        });
      }),
  };
}

function badHash(message: string): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PASSWORD_HASH', message, sent: false });
}
