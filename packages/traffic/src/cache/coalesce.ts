import { type Call, idempotency, type Layer, type Result, type Service, settle } from '@heddle/kernel';

/** What tells equal requests, and how an answer is given to several. */
export interface CoalesceOptions<Req, Res> {
  /**
   * Equal keys get one answer; undefined: this request goes by itself. It must hold all that the answer depends on,
   * the caller's identity included where the answer does.
   */
  readonly key: (req: Req, call: Call) => string | undefined;
  /**
   * Makes an answer that can be given to many, or undefined if it cannot (it streams): then each goes by itself.
   * Default: answers are values that may be shared.
   */
  readonly share?: (res: Res) => (() => Res) | undefined;
}

/**
 * Equal reads that come while one is on its way wait for that one's answer: a hot key costs the upstream one call.
 * Only for calls without side effects. Who waits keeps his own deadline and may leave. When the one that was sent is
 * given up by its caller, or its answer cannot be shared, those who wait are served anew: one of them goes.
 */
export function coalesce<Req, Res>(options: CoalesceOptions<Req, Res>): Layer<Req, Res> {
  const { key, share = shared } = options;
  const flying = new Map<string, Promise<Landing<Res>>>();
  return (next) => async (req, call) => {
    const found = call.get(idempotency) === 'no_side_effects' ? key(req, call) : undefined;
    if (found === undefined) return next(req, call);
    for (let flight = flying.get(found); flight !== undefined; flight = flying.get(found)) {
      const landing = await unlessCancelled(flight, call);
      if (landing === 'alone') return next(req, call);
      if (landing === 'lost') continue;
      if (!landing.ok) throw landing.error;
      return landing.value();
    }
    const { promise, resolve } = Promise.withResolvers<Landing<Res>>();
    flying.set(found, promise);
    const land = (landing: Landing<Res>): void => {
      // Once: after a cancel the place may be another's already.
      if (flying.get(found) === promise) flying.delete(found);
      resolve(landing);
    };
    call.onCancel(() => land('lost'));
    return fly(next, req, call, share, land);
  };
}

/** What those who wait get. `lost`: it was given up, one of them goes next. `alone`: it is not theirs to have. */
type Landing<Res> =
  | { readonly ok: true; readonly value: () => Res }
  | Extract<Result<Res>, { ok: false }>
  | 'lost'
  | 'alone';

async function fly<Req, Res>(
  next: Service<Req, Res>,
  req: Req,
  call: Call,
  share: (res: Res) => (() => Res) | undefined,
  land: (landing: Landing<Res>) => void,
): Promise<Res> {
  const child = call.child();
  const result = await settle(next, req, child);
  if (!result.ok) {
    land(call.cancelled === undefined ? result : 'lost');
    throw result.error;
  }
  call.endWith(child);
  const value = share(result.value);
  land(value === undefined ? 'alone' : { ok: true, value });
  return value === undefined ? result.value : value();
}

/** Resolves as `work`; rejects when the call is given up first. */
function unlessCancelled<T>(work: Promise<T>, call: Call): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = call.onCancel((error) => reject(error.sent ? error.with({ sent: false }) : error));
    void work.then((value) => {
      stopListening();
      resolve(value);
    });
  });
}

function shared<Res>(res: Res): () => Res {
  return () => res;
}
