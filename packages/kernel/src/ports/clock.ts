/** The time of day and the time that only goes forward. The only sources of either. */
export interface Clock {
  /** Milliseconds, with fractions, from an arbitrary start; never goes back. Leases, deadlines, back-off use this. */
  nowMs(): number;
  /** Milliseconds since 1970-01-01 UTC. May jump. For what people or other systems read, and certificates. */
  wallMs(): number;
}
