import { Effect } from "effect"
import { stat } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { marketNow } from "../../calendar/MarketClock.ts"
import { dayFolder, marketDate } from "../../calendar/MarketTime.ts"
import { systemCode } from "../../domain/systemCode.ts"
import { readManifest } from "../../journal/Manifest.ts"
import { listDays } from "../../journal/Segments.ts"
import { byteWords, spanWords } from "../amountWords.ts"
import { type Space, spaceOf } from "../diskWatch/spaceOf.ts"
import type { Check } from "../Doctor.ts"
import { isBelowStop, type Limits, limitsFor } from "../diskWatch/Limits.ts"
import { fail, type Finding, ok, warn } from "./Finding.ts"
import type { Installation } from "./Installation.ts"

const hour_ms = 3_600_000
const day_ms = 24 * hour_ms
/** The pace is of so many days before today, trading or not: what comes is a week like the last. */
const paceDays = 7
const low_hours = 7 * 24
const full_hours_min = 24

/** What the record of the last days takes on disk, compressed where it is, bytes a day; `undefined` of a record younger than a day. */
export const bytesPerDay = Effect.fnUntraced(function* (dataDir: string, nowMs: number) {
  const today = dayFolder(marketDate(nowMs))
  const from = dayFolder(marketDate(nowMs - paceDays * day_ms))
  const all = yield* listDays(dataDir)
  const days = all.filter((day) => day >= from && day < today)
  const oldest = all[0]
  if (days.length === 0 || oldest === undefined || oldest >= today) return undefined
  let bytes = 0
  for (const day of days) {
    for (const line of yield* readManifest(dataDir, day)) bytes += line.gzip?.bytes ?? line.bytes
  }
  const over = all.filter((day) => day < from).length > 0 ? paceDays : days.length
  return bytes / over
})

interface Room extends Space {
  readonly device: number
}

const roomOf = async (folder: string): Promise<Room> => {
  try {
    const [space, { dev }] = await Promise.all([spaceOf(folder), stat(folder)])
    return { device: dev, ...space }
  } catch (cause) {
    const parent = dirname(folder)
    if (systemCode(cause) === "ENOENT" && parent !== folder) return roomOf(parent)
    throw cause
  }
}

/** What is said of one file system: its room, and what grows on it. */
interface Asked {
  readonly room: Space
  /** Of the settings, as they stand for a large disk. */
  readonly limits: Limits
  /** Whether the record is there: appends stop before all is used. */
  readonly isOfRecord: boolean
  readonly bytesPerDay: number | undefined
}

/** What is to be said of the room a file system has left, at a pace where there is one. */
export const judgeRoom = (name: string, { bytesPerDay: perDay, isOfRecord, limits, room }: Asked): Finding => {
  const { free_bytes, total_bytes } = room
  const here = limitsFor(limits, total_bytes)
  const usable_bytes = Math.max(0, free_bytes - (isOfRecord ? here.stop_bytes : 0))
  const full_hours = perDay === undefined || perDay <= 0 ? undefined : (usable_bytes / perDay) * 24
  const pace =
    perDay === undefined || full_hours === undefined
      ? ""
      : `; at ${byteWords(perDay)} a day it is full in ${spanWords(full_hours * hour_ms)}`
  const words = `${byteWords(free_bytes)} of ${byteWords(total_bytes)} free${pace}`
  const details = { free_bytes, total_bytes, ...here, ...(full_hours === undefined ? {} : { full_hours }) }
  const hours = full_hours ?? Number.POSITIVE_INFINITY
  const advice = "make room, or back up and let old days go (docs/doctor.md)"
  const isStopped = isOfRecord && isBelowStop(free_bytes, here, false)
  if (isStopped || free_bytes === 0 || hours < full_hours_min) return fail(name, words, advice, { details })
  if (free_bytes < here.low_bytes || hours < low_hours) return warn(name, words, advice, { details })
  return ok(name, words, { details })
}

const placesOf = ({ dataDir, logDir, stateDir }: Installation) => [
  { what: "data", folder: resolve(dataDir) },
  { what: "log", folder: resolve(logDir) },
  { what: "state", folder: resolve(stateDir) }
]

/** Each file system of the folders once; the record grows on the one of the data folder. */
export const diskRoom: Check = {
  name: "disk room",
  look: Effect.fnUntraced(function* (on) {
    const perDay = yield* bytesPerDay(on.dataDir, yield* marketNow)
    const rooms = new Map<number, { readonly whats: Array<string>; readonly room: Room }>()
    for (const { folder, what } of placesOf(on)) {
      const room = yield* Effect.tryPromise(() => roomOf(folder))
      const known = rooms.get(room.device)
      if (known === undefined) rooms.set(room.device, { whats: [what], room })
      else known.whats.push(what)
    }
    return [...rooms.values()].map(({ room, whats }) => {
      const isOfRecord = whats.includes("data")
      const bytesPerDay = isOfRecord ? perDay : undefined
      const found = judgeRoom("disk room", { room, limits: on.disk, isOfRecord, bytesPerDay })
      return { ...found, words: `${whats.join(", ")}: ${found.words}`, details: { ...found.details, folders: whats } }
    })
  })
}
