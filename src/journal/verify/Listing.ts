import { Effect } from "effect"
import { join } from "node:path"
import { Disk, type DiskError } from "../Disk.ts"

/** A file that may hold records, as its place and name tell. */
export interface FoundFile {
  /** Relative to the data folder, as it lies on disk. */
  readonly path: string
  /** `YYYY/MM/DD` of the folder it lies in; `undefined` outside the days. */
  readonly day: string | undefined
  /** As the manifest would name it, `09/node-000000000001.jsonl`; `undefined` when the journal gives no such name. */
  readonly name: string | undefined
  readonly node: string | undefined
  readonly form: "plain" | "packed" | "open"
  readonly bytes: number
}

export interface Listing {
  readonly files: ReadonlyArray<FoundFile>
  /** Every day that has a folder, and what else lies in it. */
  readonly days: ReadonlyMap<string, ReadonlySet<string>>
}

/** Deeper than any folder of the journal by a few. */
const depth_max = 8
const records = /\.jsonl(\.open|\.gz)?$/
const segment = /^(\d{4}\/\d{2}\/\d{2})\/(\d{2}\/(.+)-\d{12,}\.jsonl)(?:\.open|\.gz)?$/
const dayPrefix = /^(\d{4}\/\d{2}\/\d{2})\/(.*)$/
const dayFolder = /^\d{4}\/\d{2}\/\d{2}$/

const formOf = (path: string): FoundFile["form"] =>
  path.endsWith(".open") ? "open" : path.endsWith(".gz") ? "packed" : "plain"

/** What the file of a path is; `undefined` when it is none of records. */
export const fileOf = (path: string, bytes: number): FoundFile | undefined => {
  if (!records.test(path) || path.endsWith("/MANIFEST.jsonl")) return undefined
  const [, day, name, node] = segment.exec(path) ?? []
  return { path, day: day ?? dayPrefix.exec(path)?.[1], name, node, form: formOf(path), bytes }
}

/** Whether a path may lie in one of the days asked for; outside the days everything does. */
const isAsked = (path: string, from: string, to: string): boolean => {
  const upTo = (day: string) => day.slice(0, path.length)
  if (!/^\d{4}(\/\d{2}){0,2}(\/|$)/.test(path)) return true
  const day = path.slice(0, 10)
  return day >= upTo(from) && day <= upTo(to)
}

/**
 * Every file below a data folder that may hold records, wherever somebody may have put it; quarantine and what is hidden
 * left out. Days are `YYYY/MM/DD`, both included.
 */
export const listEverything = Effect.fn("verify.listing")(function* (dataDir: string, fromDay: string, toDay: string) {
  const disk = yield* Disk
  const files: Array<FoundFile> = []
  const days = new Map<string, Set<string>>()

  const namesIn = (path: string) =>
    disk.list(join(dataDir, path)).pipe(
      Effect.catchIf(
        ({ code }) => code === "ENOTDIR",
        () => Effect.undefined
      )
    )
  const walk = Effect.fnUntraced(function* (path: string, depth: number): Effect.fn.Return<void, DiskError> {
    const names = yield* namesIn(path)
    if (names === undefined) {
      const [, day, name] = dayPrefix.exec(path) ?? []
      if (day !== undefined && name !== undefined) days.get(day)?.add(name)
      const file = fileOf(path, (yield* disk.size(join(dataDir, path))) ?? 0)
      if (file !== undefined) files.push(file)
      return
    }
    if (dayFolder.test(path)) days.set(path, new Set())
    for (const name of names) {
      const below = path === "" ? name : `${path}/${name}`
      const isApart = name.startsWith(".") || (path === "" && name === "quarantine")
      if (!isApart && depth < depth_max && isAsked(below, fromDay, toDay)) yield* walk(below, depth + 1)
    }
  })
  yield* walk("", 0)
  return { files, days } satisfies Listing
})
