import { Effect, Schedule } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { isPassing } from "./DatabaseError.ts"

const patience = Schedule.min([Schedule.exponential("250 millis"), Schedule.spaced("10 seconds")]).pipe(
  Schedule.jittered,
  Schedule.upTo({ times: 16 })
)

/** A server that restarts meanwhile is waited for, about two minutes. */
export const patiently = <A, R>(asked: Effect.Effect<A, SqlError, R>) =>
  Effect.retry(asked, { schedule: patience, while: isPassing })
