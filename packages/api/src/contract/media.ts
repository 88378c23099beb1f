import { type JsonObject, objectsIn } from './json.ts';

/** A media type with what the document says of it. */
export type Media = readonly [type: string, media: JsonObject];

/** Of what a request or an answer holds, the one to write or to show: JSON if there is such, else the first. */
export function chosenMedia(holder: JsonObject | undefined): Media | undefined {
  const all = objectsIn(holder?.['content']);
  return all.find(([type]) => isJson(type)) ?? all[0];
}

/** The one that a `content-type` is of; ranges such as `image/*` are looked at last. */
export function mediaFor(holder: JsonObject, contentType: string): Media | undefined {
  const wanted = essence(contentType);
  const all = objectsIn(holder['content']);
  return (
    all.find(([type]) => essence(type) === wanted) ??
    all.find(([type]) => essence(type).endsWith('/*') && inRange(wanted, essence(type)))
  );
}

/** Whether a type is in a range such as `image/*`. */
export function inRange(type: string, range: string): boolean {
  return range === '*/*' || type === range || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)));
}

/** Without parameters, in small letters. */
export function essence(type: string): string {
  return (type.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/** `application/json` and all that is written in it, such as `application/problem+json`. */
export function isJson(type: string): boolean {
  return /[/+]json$/.test(essence(type));
}
