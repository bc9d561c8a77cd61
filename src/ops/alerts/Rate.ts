/** A bucket of messages: so many may follow each other at once, then one comes back every so often. */
export interface Rate {
  readonly burst: number
  readonly refill_ms: number
}

/** At most 30 messages in any hour, and never more than three minutes to wait for the next. */
export const channelRate: Rate = { burst: 10, refill_ms: 180_000 }

/** When the bucket is full again, in milliseconds of the clock: all that is remembered of what was sent. */
export interface Bucket {
  readonly fullAtMs: number
}

export const fullBucket: Bucket = { fullAtMs: Number.NEGATIVE_INFINITY }

/** How long the next message has to wait. A clock that was set back does not make it wait longer than a whole refill. */
export const wait_ms = ({ burst, refill_ms }: Rate, { fullAtMs }: Bucket, nowMs: number): number =>
  Math.min(refill_ms, Math.max(0, fullAtMs - nowMs - (burst - 1) * refill_ms))

/** The bucket after a message was sent. */
export const spent = ({ burst, refill_ms }: Rate, { fullAtMs }: Bucket, nowMs: number): Bucket => ({
  fullAtMs: Math.min(Math.max(fullAtMs, nowMs), nowMs + (burst - 1) * refill_ms) + refill_ms
})
