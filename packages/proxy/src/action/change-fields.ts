import type { Layer } from '@heddle/kernel';
import type { Fields, HttpRequest, HttpResponse } from '@heddle/wire';
import type { FieldChanges } from '../model/route.ts';

/** Removes, sets and adds fields of the request, and of every answer that comes from below. */
export function changeFields(
  request: FieldChanges,
  response: FieldChanges,
): Layer<HttpRequest, HttpResponse> {
  const [onRequest, onResponse] = [!isNothing(request), !isNothing(response)];
  if (!onRequest && !onResponse) return (next) => next;
  return (next) => (req, call) => {
    const pending = next(onRequest ? { ...req, fields: changed(req.fields, request) } : req, call);
    if (!onResponse) return pending;
    return pending.then((res) => ({ ...res, fields: changed(res.fields, response) }));
  };
}

function changed(fields: Fields, { remove, set, add }: FieldChanges): Fields {
  const made = fields.clone();
  for (const name of remove) made.delete(name);
  for (const [name, value] of set) made.set(name, value);
  for (const [name, value] of add) made.append(name, value);
  return made;
}

function isNothing({ remove, set, add }: FieldChanges): boolean {
  return remove.length + set.length + add.length === 0;
}
