/** A number with as many digits as say something. */
export function number(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** A share of 0 to 1 in percent; what is not zero is never shown as zero. */
export function percent(share: number | null | undefined): string | null {
  if (share === null || share === undefined) return null;
  return share > 0 && share < 0.001 ? '<0.1 %' : `${number(share * 100)} %`;
}

/** A duration. */
export function duration(ms: number | null | undefined): string | null {
  if (ms === null || ms === undefined) return null;
  if (ms >= 60_000) return `${number(ms / 60_000)} min`;
  if (ms >= 1000) return `${number(ms / 1000)} s`;
  return ms >= 1 || ms === 0 ? `${number(ms)} ms` : `${number(ms * 1000)} µs`;
}

/** How long ago. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** A point in time, in the zone of whoever reads it. */
export function moment(ms: number): string {
  const date = new Date(ms);
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Bytes in MB of 1024 KB. */
export function megabytes(bytes: number | null): string | null {
  return bytes === null ? null : `${number(bytes / 1_048_576)} MB`;
}
