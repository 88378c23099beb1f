import { type Call, type Runtime, type Timer } from '@heddle/kernel';
import { encodeJson } from '@heddle/discovery/clients';
import { type Place, placeText } from '../place/place.ts';
import { aliveEveryMs, type WatchLine } from '../remote/protocol.ts';
import { toldWakes } from '../store/told-wakes.ts';
import type { ConfigVersion } from '../version/version.ts';
import type { PlaceHub } from './place-hub.ts';

/**
 * The lines of one watch from a version on. A slow reader holds nothing here: each line is made when it is asked for,
 * and who is too far behind is told only how far the place is.
 */
export async function* watchLines(
  hub: PlaceHub,
  place: Place,
  after: number,
  call: Call,
): AsyncGenerator<Uint8Array, void> {
  const { runtime } = call;
  let reached = after;
  let timer: Timer | undefined;
  const wakes = toldWakes(call, (listener) => {
    timer = heartbeat(runtime, listener.wake, (next) => {
      timer = next;
    });
    const stop = hub.watch(place, listener);
    return () => {
      timer?.cancel();
      stop();
    };
  });
  for await (const _ of wakes) {
    let told = false;
    for (const version of hub.after(place, reached)) {
      reached = version.version;
      told = true;
      yield line({ version: jsonOf(version) });
    }
    const head = hub.headOf(place) ?? 0;
    if (head > reached) {
      reached = head;
      told = true;
      yield line({ head });
    }
    if (!told) yield line({ alive: true });
  }
}

/** Wakes by itself now and then, for the line that says that the connection is well. */
function heartbeat(runtime: Runtime, wake: () => void, next: (timer: Timer) => void): Timer {
  return runtime.timers.after(aliveEveryMs, () => {
    next(heartbeat(runtime, wake, next));
    wake();
  });
}

/** As the protocol has it: its place is text. */
export function jsonOf(version: ConfigVersion): unknown {
  return { ...version, place: placeText(version.place) };
}

function line(content: WatchLine): Uint8Array {
  const json = encodeJson(content);
  const bytes = new Uint8Array(json.byteLength + 1);
  bytes.set(json);
  bytes[json.byteLength] = 0x0a;
  return bytes;
}
