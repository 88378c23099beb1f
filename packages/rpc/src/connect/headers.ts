import { Fields } from '@heddle/wire';

/** What Connect's callers give as headers. */
export type HeadersSource = ConstructorParameters<typeof Headers>[0];

/** Connect's headers as fields. Binary ones are base64 on both sides. */
export function fieldsOf(headers: HeadersSource): Fields {
  const fields = new Fields();
  if (headers === undefined) return fields;
  for (const [name, value] of new Headers(headers)) fields.append(name, value);
  return fields;
}

/** Fields as Connect's headers. */
export function headersOf(fields: Fields): Headers {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return headers;
}
