import { Clock, Effect, Queue } from "effect"
import type { AlertEvent } from "./AlertMessage.ts"
import type { Channel, DeliveryFailed } from "./Channel.ts"
import { meterDelivery } from "./deliveryMeter.ts"
import { type Bucket, channelRate, fullBucket, spent, wait_ms } from "./Rate.ts"

export interface Courier {
  readonly channel: string
  /** Takes events over and never waits; when too many wait, the oldest are let go of, and counted. */
  readonly offer: (events: ReadonlyArray<AlertEvent>) => Effect.Effect<void>
  /** For a supervisor to run. */
  readonly run: Effect.Effect<never>
}

/** Every rule fired and ended once, and room besides. */
export const waiting_max = 100
/** Tries of one message: with the pauses between them about nine minutes. */
export const tries_max = 10
const pause_ms_min = 2_000
const pause_ms_max = 120_000
/** Longer than this no other side is waited for at its word. */
const retryAfter_ms_max = 600_000

const pause_ms = (tried: number, { retryAfter_ms }: DeliveryFailed): number =>
  retryAfter_ms === undefined
    ? Math.min(pause_ms_max, pause_ms_min * 2 ** (tried - 1))
    : Math.min(retryAfter_ms_max, Math.max(pause_ms_min, retryAfter_ms))

/**
 * Carries events over one channel, and feels nothing of the others. What has come together while a message was tried or
 * held back goes out as one. A channel that fails is logged once until it works again; what it could not deliver is
 * counted in the next message that arrives.
 */
export const makeCourier = Effect.fnUntraced(function* (channel: Channel, node: string) {
  const waiting: Array<AlertEvent> = []
  const fresh = yield* Queue.sliding<void>(1)
  let bucket: Bucket = fullBucket
  let undelivered = 0
  let isFailing = false

  const offer = Effect.fnUntraced(function* (events: ReadonlyArray<AlertEvent>) {
    waiting.push(...events)
    const dropped = waiting.splice(0, Math.max(0, waiting.length - waiting_max)).length
    undelivered += dropped
    if (dropped > 0) yield* meterDelivery(channel.name, "dropped", dropped)
    yield* Queue.offer(fresh, undefined)
  })

  const failed = Effect.fnUntraced(function* ({ reason }: DeliveryFailed, lost: number) {
    if (!isFailing) {
      yield* Effect.logError("alarms cannot be delivered on a channel", { channel: channel.name, reason })
    }
    isFailing = true
    undelivered += lost
  })

  const works = Effect.gen(function* () {
    if (isFailing) yield* Effect.logInfo("alarms are delivered again", { channel: channel.name })
    isFailing = false
    undelivered = 0
  })

  const deliver = Effect.fnUntraced(function* (events: ReadonlyArray<AlertEvent>) {
    for (let tried = 1; ; tried++) {
      const message = { node, atMs: yield* Clock.currentTimeMillis, events, undelivered }
      const error = yield* Effect.match(channel.send(message), {
        onFailure: (each) => each,
        onSuccess: () => undefined
      })
      if (error === undefined) {
        yield* meterDelivery(channel.name, "sent")
        return yield* works
      }
      if (!error.isRetryable || tried >= tries_max) {
        yield* meterDelivery(channel.name, "failed")
        return yield* failed(error, events.length)
      }
      yield* meterDelivery(channel.name, "retried")
      yield* failed(error, 0)
      yield* Effect.sleep(pause_ms(tried, error))
    }
  })

  const run = Effect.gen(function* () {
    if (waiting.length === 0) return yield* Queue.take(fresh)
    yield* Effect.sleep(wait_ms(channelRate, bucket, yield* Clock.currentTimeMillis))
    yield* deliver(waiting.splice(0))
    bucket = spent(channelRate, bucket, yield* Clock.currentTimeMillis)
  })
  return { channel: channel.name, offer, run: Effect.forever(run) } satisfies Courier
})
