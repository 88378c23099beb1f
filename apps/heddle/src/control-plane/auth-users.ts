import { argon2 } from 'node:crypto';
import { HeddleError, type Runtime } from '@heddle/kernel';
import { passwordHash } from '@heddle/security';

/** What people may do: see; also change what runs; also say who may. */
export const roles = ['viewer', 'operator', 'admin'] as const;
/** One of `roles`; each may what those before it may. */
export type Role = (typeof roles)[number];

/** Somebody who signs in with a password. */
export interface User {
  readonly name: string;
  readonly role: Role;
  readonly createdMs: number;
  readonly passwordMs: number;
}

interface StoredUser extends User {
  readonly hash: string;
}

const file = 'console/users.json';
const namePattern = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
const shortestPassword = 10;
const longestPassword = 200;
/** OWASP's first choice for argon2id: 19 MiB, two passes. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };

/** Whether a role may what asks for `needed`. */
export function mayAs(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** The local users of a console, in one file of its data folder that holds hashes (argon2id) and no passwords. */
export class Users {
  readonly #runtime: Runtime;
  readonly #byName = new Map<string, StoredUser>();
  /** One hash for names that nobody has, so that a wrong name takes as long as a wrong password. */
  #nobody = '';
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Reads the file. Rejects with `data_loss` / `USERS_UNREADABLE` for one that was damaged. */
  static async open(runtime: Runtime): Promise<Users> {
    const users = new Users(runtime);
    const bytes = await runtime.disk.read(file);
    if (bytes !== undefined) users.#load(new TextDecoder().decode(bytes));
    users.#nobody = await users.#hash(Buffer.from(runtime.random.bytes(24)).toString('hex'));
    return users;
  }

  /** By name. */
  get all(): readonly User[] {
    return [...this.#byName.values()].map(shownOf).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): User | undefined {
    const found = this.#byName.get(name);
    return found && shownOf(found);
  }

  /** Whose name and password these are; undefined for nobody's. Takes as long either way. */
  async check(name: string, password: string): Promise<User | undefined> {
    const found = this.#byName.get(name);
    const matches = await passwordHash(found?.hash ?? this.#nobody).matches(
      password.slice(0, longestPassword),
    );
    return matches && found !== undefined ? shownOf(found) : undefined;
  }

  /** Throws `already_exists`, or `BAD_USER` with what is wrong. */
  add(name: string, role: Role, password: string): Promise<User> {
    return this.#inTurn(async () => {
      checkName(name);
      checkPassword(password, name);
      if (this.#byName.has(name))
        throw refused('already_exists', 'USER_EXISTS', `there is a user ${name} already`);
      const nowMs = this.#runtime.clock.wallMs();
      return this.#keep({
        name,
        role,
        createdMs: nowMs,
        passwordMs: nowMs,
        hash: await this.#hash(password),
      });
    });
  }

  setRole(name: string, role: Role): Promise<User> {
    return this.#inTurn(async () => {
      const user = this.#known(name);
      if (role !== 'admin') this.#requireAnotherAdmin(user);
      return this.#keep({ ...user, role });
    });
  }

  setPassword(name: string, password: string): Promise<User> {
    return this.#inTurn(async () => {
      const user = this.#known(name);
      checkPassword(password, name);
      const passwordMs = this.#runtime.clock.wallMs();
      return this.#keep({ ...user, passwordMs, hash: await this.#hash(password) });
    });
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#requireAnotherAdmin(this.#known(name));
      this.#byName.delete(name);
      await this.#write();
    });
  }

  #known(name: string): StoredUser {
    const user = this.#byName.get(name);
    if (user !== undefined) return user;
    throw refused('not_found', 'NO_SUCH_USER', `there is no user ${name.slice(0, 64)}`);
  }

  #requireAnotherAdmin({ name, role }: StoredUser): void {
    const others = [...this.#byName.values()].filter((one) => one.role === 'admin' && one.name !== name);
    if (role !== 'admin' || others.length > 0) return;
    const message = `${name} is the last admin: make another one first`;
    throw refused('failed_precondition', 'LAST_ADMIN', message);
  }

  async #keep(user: StoredUser): Promise<User> {
    this.#byName.set(user.name, user);
    await this.#write();
    return shownOf(user);
  }

  async #write(): Promise<void> {
    const text = JSON.stringify({ users: [...this.#byName.values()] }, undefined, 2);
    await this.#runtime.disk.replace(file, new TextEncoder().encode(text));
  }

  #load(text: string): void {
    try {
      const { users } = JSON.parse(text) as { users: StoredUser[] };
      for (const user of users) {
        passwordHash(user.hash);
        checkName(user.name);
        if (!roles.includes(user.role)) throw new Error(`${user.name} has the role ${String(user.role)}`);
        this.#byName.set(user.name, user);
      }
    } catch (cause) {
      const message = `${file} in the data folder cannot be read: ${cause instanceof Error ? cause.message : ''}`;
      throw new HeddleError({ code: 'data_loss', reason: 'USERS_UNREADABLE', message, cause, sent: false });
    }
  }

  #hash(password: string): Promise<string> {
    const nonce = Buffer.from(this.#runtime.random.bytes(16));
    const { memory, passes, parallelism } = cost;
    return new Promise((resolve, reject) => {
      argon2('argon2id', { message: Buffer.from(password), nonce, ...cost }, (error, made) => {
        if (error !== null) return reject(error);
        const [salt, hash] = [nonce, made].map((bytes) => bytes.toString('base64').replace(/=+$/, ''));
        return resolve(`$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${salt}$${hash}`);
      });
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function shownOf({ name, role, createdMs, passwordMs }: StoredUser): User {
  return { name, role, createdMs, passwordMs };
}

function checkName(name: string): void {
  if (namePattern.test(name)) return;
  const expected =
    'small letters, digits, ".", "_", "@" and "-", 64 at most, beginning with a letter or digit';
  throw refused(
    'invalid_argument',
    'BAD_USER',
    `name: expected ${expected}, found ${JSON.stringify(name.slice(0, 80))}`,
  );
}

function checkPassword(password: string, name: string): void {
  const fits = password.length >= shortestPassword && password.length <= longestPassword;
  if (fits && !password.toLowerCase().includes(name)) return;
  const message = `password: expected ${shortestPassword} to ${longestPassword} characters without the name in them`;
  throw refused('invalid_argument', 'BAD_PASSWORD', message);
}

function refused(code: HeddleError['code'], reason: string, message: string): HeddleError {
  return new HeddleError({ code, reason, message, sent: false });
}
