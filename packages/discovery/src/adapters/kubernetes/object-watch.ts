import { type Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { readLines } from '../../remote/line-reader.ts';
import { decodeJson } from '../../remote/protocol.ts';
import type { Asked } from '../../servers/server-group.ts';
import type { Selection } from './kinds.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import { type KubernetesObject, listIn, membersIn, readObject, textIn } from './object.ts';

/** An object with all that it has beside its metadata. */
export type WholeObject = KubernetesObject & Readonly<Record<string, unknown>>;

const pageSize = 500;
const longestLineBytes = 8 * 1024 * 1024;
// The server ends a watch then, and it goes on from where it was: so a connection that is dead without knowing is
// noticed, bookmarks or not.
const watchSeconds = 30;
const graceMs = 5000;

/** All objects of a selection, in pages, and the version that this is true for. */
export async function listObjects(
  client: KubernetesClient,
  selection: Selection,
): Promise<{ objects: WholeObject[]; version: string }> {
  const objects: WholeObject[] = [];
  for (let next: string | undefined; ; ) {
    const query = {
      labelSelector: selection.labels,
      limit: String(pageSize),
      ...(next !== undefined && { continue: next }),
    };
    const answer = membersIn(await client.ask({ method: 'GET', path: selection.path, query }));
    for (const item of listIn(answer['items'])) {
      const object = readObject(item);
      if (object !== undefined) objects.push(object);
    }
    const { resourceVersion, continue: more } = membersIn(answer['metadata']);
    next = textIn(more);
    if (next === undefined) return { objects, version: String(resourceVersion) };
  }
}

/** How a watch of objects tells. */
export interface ObjectListener {
  /** What there is: first of all, and again when the server has forgotten where we were. */
  listed(objects: readonly WholeObject[]): void;
  /** One is new, or another than before. */
  put(object: WholeObject): void;
  removed(name: string): void;
}

/** What is watched, and for whom. */
export interface ObjectWatchOptions {
  readonly runtime: Runtime;
  readonly client: KubernetesClient;
  readonly selection: Selection;
  readonly listener: ObjectListener;
}

/**
 * List and watch, for as long as that goes well; rejects when it does not. A watch that the server ends goes on from the
 * last version that it told of (bookmarks keep that new); when it has forgotten that version, from a new list.
 */
export async function watchObjects(options: ObjectWatchOptions, call: Call): Promise<never> {
  for (;;) {
    const { objects, version } = await listObjects(options.client, options.selection);
    call.throwIfCancelled();
    options.listener.listed(objects);
    try {
      let from = version;
      for (;;) from = await follow(options, from, call);
    } catch (thrown) {
      call.throwIfCancelled();
      if (HeddleError.from(thrown).reason !== 'EXPIRED') throw thrown;
    }
  }
}

/** One watch, to its end: the version to go on from. */
async function follow(
  { runtime, client, selection, listener }: ObjectWatchOptions,
  from: string,
  parent: Call,
): Promise<string> {
  const call = parent.child();
  let alarm: Timer | undefined;
  let asked: Asked | undefined;
  const limitMs = watchSeconds * 1000 + graceMs;
  let version = from;
  try {
    const query = {
      labelSelector: selection.labels,
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(watchSeconds),
    };
    const { body, asked: by } = await client.stream({ method: 'GET', path: selection.path, query }, call);
    asked = by;
    alarm = runtime.timers.after(limitMs, () => call.cancel(silent(limitMs)));
    for await (const line of readLines(body, longestLineBytes)) {
      version = apply(listener, decodeJson(line)) ?? version;
    }
    return version;
  } catch (thrown) {
    const error = call.cancelled ?? HeddleError.from(thrown);
    if (asked !== undefined && parent.cancelled === undefined && error.reason !== 'EXPIRED')
      client.moveOn(error, asked);
    throw error;
  } finally {
    alarm?.cancel();
    call.cancel(ended());
    call.end();
  }
}

/** Applies an event; gives the version that it tells of. */
function apply(listener: ObjectListener, event: unknown): string | undefined {
  const { type, object: value } = membersIn(event);
  if (type === 'ERROR') throw watchError(value);
  const version = textIn(membersIn(membersIn(value)['metadata'])['resourceVersion']);
  if (type === 'BOOKMARK') return version;
  const object = readObject(value);
  if (object === undefined) return version;
  if (type === 'DELETED') listener.removed(object.metadata.name);
  else listener.put(object);
  return version;
}

function watchError(status: unknown): HeddleError {
  const { code, message } = membersIn(status);
  if (code === 410)
    return new HeddleError({ code: 'out_of_range', reason: 'EXPIRED', message: String(message) });
  const said = `the API server ended a watch: ${String(message)}`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_ENDED', message: said });
}

function silent(limitMs: number): HeddleError {
  const message = `the API server has not ended a watch within ${limitMs} ms; the connection is taken for broken`;
  return new HeddleError({ code: 'unavailable', reason: 'WATCH_SILENT', message });
}

function ended(): HeddleError {
  return new HeddleError({ code: 'cancelled', reason: 'WATCH_ENDED', message: 'nobody reads this watch' });
}
