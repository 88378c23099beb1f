import { HeddleError, type Runtime } from '@heddle/kernel';
import { ask } from '@heddle/proxy';
import { mayAs, type Role, roles } from './auth-users.ts';
import type { ConsoleRoute } from './console-api.ts';

/** A page of another tool that is shown within the console. */
export interface ForeignPage {
  /** In its address: letters, digits and `-`. */
  readonly name: string;
  readonly title: string;
  /** What the frame shows: http or https. */
  readonly url: string;
  /** Who may see it. */
  readonly role: Role;
  /** What is asked whether it is well, from the control plane; default: `url`. */
  readonly health: string;
}

/** How a foreign page is. */
export interface ForeignHealth {
  readonly state: 'up' | 'down';
  readonly tookMs: number;
  /** `200`, or why there was no answer. */
  readonly said: string;
  readonly atMs: number;
}

const variable = 'HEDDLE_CONSOLE_PAGES';
const keptMs = 10_000;

/**
 * The pages that `HEDDLE_CONSOLE_PAGES` names: a JSON list of `{ name, title, url, role, health }`; `role` is `viewer` and
 * `health` is `url` where they are not given. Throws `BAD_SETTING` with everything that is wrong.
 */
export function foreignPages(env: Readonly<Record<string, string | undefined>>): readonly ForeignPage[] {
  const text = env[variable] ?? '';
  if (text === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad(['it is no JSON']);
  }
  if (!Array.isArray(value)) throw bad(['expected a list']);
  const problems: string[] = [];
  const pages = value.map((one: unknown, at) => pageIn(one, at, problems));
  const names = pages.map(({ name }) => name);
  for (const name of new Set(names.filter((each, at) => names.indexOf(each) !== at)))
    problems.push(`the name "${name}" is given twice`);
  if (problems.length > 0) throw bad(problems);
  return pages;
}

const keys = ['name', 'title', 'url', 'role', 'health'];

function pageIn(value: unknown, at: number, problems: string[]): ForeignPage {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { name, title, url, role = 'viewer', health = url } = given;
  const tell = (what: string, expected: string, found: unknown): void => {
    problems.push(
      `[${at}].${what}: expected ${expected}, found ${JSON.stringify(found)?.slice(0, 60) ?? 'nothing'}`,
    );
  };
  for (const key of Object.keys(given))
    if (!keys.includes(key)) problems.push(`[${at}]: unknown "${key}", expected ${keys.join(', ')}`);
  if (typeof name !== 'string' || !/^[a-z0-9-]{1,40}$/.test(name))
    tell('name', '1 to 40 small letters, digits and "-"', name);
  if (typeof title !== 'string' || title.length < 1 || title.length > 60)
    tell('title', 'a text of 1 to 60 characters', title);
  if (!isWeb(url)) tell('url', 'a URL with http or https and without a password', url);
  if (!isWeb(health)) tell('health', 'a URL with http or https and without a password', health);
  if (!roles.includes(role as Role)) tell('role', roles.join(', '), role);
  return { name, title, url, role, health } as ForeignPage;
}

function isWeb(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

/** Whence frames may come: what configuration names, and nothing else. */
export function frameOrigins(pages: readonly ForeignPage[]): readonly string[] {
  return [...new Set(pages.map(({ url }) => new URL(url).origin))];
}

/** The pages that somebody may see, and how each is. The health is asked at most every ten seconds. */
export function foreignRoutes(pages: readonly ForeignPage[], runtime: Runtime): ConsoleRoute[] {
  const known = new Map<string, Promise<ForeignHealth>>();
  const healthOf = async (page: ForeignPage): Promise<ForeignHealth> => {
    const before = await known.get(page.name);
    if (before !== undefined && runtime.clock.wallMs() - before.atMs < keptMs) return before;
    const asking = looked(page, runtime);
    known.set(page.name, asking);
    return asking;
  };
  return [
    {
      method: 'GET',
      path: '/pages',
      role: 'viewer',
      run: async ({ who }) => {
        const seen = pages.filter(({ role }) => mayAs(who.role, role));
        const views = seen.map(async ({ name, title, url, ...page }) => {
          return { name, title, url, health: await healthOf({ name, title, url, ...page }) };
        });
        return { pages: await Promise.all(views) };
      },
    },
  ];
}

async function looked({ health }: ForeignPage, runtime: Runtime): Promise<ForeignHealth> {
  const { clock } = runtime;
  const startMs = clock.nowMs();
  const [state, said] = await ask({ url: health }, runtime).then(
    // A page that asks for a sign-in is well.
    ({ status }) => [status < 500 && status !== 404 ? 'up' : 'down', String(status)] as const,
    (thrown: unknown) => ['down', HeddleError.from(thrown).message] as const,
  );
  return { state, said, tookMs: clock.nowMs() - startMs, atMs: clock.wallMs() };
}

function bad(problems: readonly string[]): HeddleError {
  const message = `${variable}: ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_SETTING', message, sent: false });
}
