import { Effect, Result, Schema } from "effect"
import { join } from "node:path"
import { sha256Of } from "../domain/sha256Of.ts"
import { Disk, makeDurableFolder } from "../journal/Disk.ts"
import { masterNames, type MasterName, readMasterFile } from "../kis/MasterFile.ts"
import type { HeldFile, HeldFiles } from "./MarketList.ts"
import { readWhole, replaceWhole } from "../journal/wholeFile.ts"

/** `files.json`: which zip is the newest of its kind, and of which market date. */
const Kept = Schema.Struct({
  files: Schema.Array(Schema.Struct({ name: Schema.Literals(masterNames), date: Schema.String, sha256: Schema.String }))
})

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Kept))

/** Where master files come from is part of their name: the simulator's are no yesterday of the broker's. */
const folderOf = (place: string) => `masters/${place.replace(/[^0-9A-Za-z.-]/g, "_")}`

/** Zips are named by what they hold, so that one that is in use is never written over. */
const zipName = (name: MasterName, sha256: string) => `${name}-${sha256.slice(0, 12)}.zip`

/** A zip that is not what was written is as good as none; why is logged. */
const recallFile = Effect.fnUntraced(function* (
  folder: string,
  { date, name, sha256 }: (typeof Kept.Type)["files"][number]
) {
  const disk = yield* Disk
  const path = join(folder, zipName(name, sha256))
  const zip = yield* disk.readAt(path, 0, (yield* disk.size(path)) ?? 0)
  const lost = (reason: string) => Effect.logWarning("a kept master file cannot be used", { file: path, reason })
  if (sha256Of(zip) !== sha256) return yield* Effect.as(lost("it is not what was stored"), [])
  const book = readMasterFile(name, zip)
  if (Result.isFailure(book)) return yield* Effect.as(lost(book.failure.message), [])
  return [[name, { date, book: book.success }] as const]
})

/** The newest accepted master files of a place, those from before this start; what cannot be read is left out. */
export const recallMasters = Effect.fn("MasterStore.recall")(
  function* (stateDir: string, place: string): Effect.fn.Return<HeldFiles, unknown, Disk> {
    const folder = join(stateDir, folderOf(place))
    const text = yield* readWhole(join(folder, "files.json"))
    if (text === undefined) return new Map()
    const { files } = yield* decode(text)
    const found = yield* Effect.forEach(files, (file) =>
      Effect.catch(recallFile(folder, file), (error) =>
        Effect.as(Effect.logWarning(`a kept master file cannot be read: ${error.message}`), [])
      )
    )
    return new Map<MasterName, HeldFile>(found.flat())
  },
  Effect.catch((error) =>
    Effect.as(
      Effect.logWarning("the kept master files cannot be read", { reason: String(error) }),
      new Map<MasterName, HeldFile>() as HeldFiles
    )
  )
)

/**
 * Keeps what is held; `zips` are those that are new. First the zips, then the file that names them, then the old ones
 * go: a crash at any point leaves either the old set or the new one. A full disk is logged, not fatal: a list that
 * cannot be kept serves all the same.
 */
export const keepMasters = Effect.fn("MasterStore.keep")(
  function* (stateDir: string, place: string, held: HeldFiles, zips: ReadonlyMap<MasterName, Uint8Array>) {
    const disk = yield* Disk
    yield* makeDurableFolder(stateDir, folderOf(place))
    const folder = join(stateDir, folderOf(place))
    const files = [...held].map(([name, { book, date }]) => ({ name, date, sha256: book.sha256 }))
    for (const { name, sha256 } of files) {
      const zip = zips.get(name)
      if (zip !== undefined) yield* replaceWhole(folder, zipName(name, sha256), zip)
    }
    yield* replaceWhole(folder, "files.json", Buffer.from(JSON.stringify({ files })))
    const inUse = new Set(["files.json", ...files.map(({ name, sha256 }) => zipName(name, sha256))])
    for (const name of yield* disk.list(folder)) if (!inUse.has(name)) yield* disk.remove(join(folder, name))
  },
  Effect.catch((error) => Effect.logWarning(`the master files cannot be kept for a restart: ${error.message}`))
)
