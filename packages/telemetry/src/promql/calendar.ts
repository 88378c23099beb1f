/** Parts of a time in seconds since 1970, in UTC. */
export const calendar: Readonly<Record<string, (seconds: number) => number>> = {
  minute: part((date) => date.getUTCMinutes()),
  hour: part((date) => date.getUTCHours()),
  day_of_week: part((date) => date.getUTCDay()),
  day_of_month: part((date) => date.getUTCDate()),
  day_of_year: part(
    (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1,
  ),
  days_in_month: part((date) =>
    new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
  ),
  month: part((date) => date.getUTCMonth() + 1),
  year: part((date) => date.getUTCFullYear()),
};

function part(of: (date: Date) => number): (seconds: number) => number {
  return (seconds) => of(new Date(Math.floor(seconds) * 1000));
}
