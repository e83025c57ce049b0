/** `89 d`, `23 h`, `5 min`, `12 s`: a span as the tree shows it. */
export function span(milliseconds: number): string {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(Math.abs(milliseconds) / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`;
}

/** How long ago an ISO 8601 time or a number of milliseconds since 1970 was; undefined for what is no time. */
export function ago(time: string | number | undefined, now = Date.now()): string | undefined {
  const at = typeof time === 'string' ? Date.parse(time) : time;
  return at === undefined || Number.isNaN(at) ? undefined : span(now - at);
}

/** `2027-02-21`: the day of an ISO 8601 time. */
export function day(time: string): string {
  return time.slice(0, 10);
}
