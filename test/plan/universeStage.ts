import { NodeHttpClient } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { MarketSession } from "../../src/calendar/MarketSession.ts"
import { marketInstant } from "../../src/calendar/MarketTime.ts"
import type { RecordDraft } from "../../src/domain/JournalRecord.ts"
import type { SymbolSelection } from "../../src/domain/SymbolSelection.ts"
import { Disk } from "../../src/journal/Disk.ts"
import { DayUniverse, type DayUniverseOptions } from "../../src/plan/DayUniverse.ts"
import { MemoryDisk } from "../support/memoryDisk.ts"
import { scratchFolder } from "../support/virtualTime.ts"

export interface UniverseStage {
  readonly folder: string
  /** Everything that went to the journal, over all starts. */
  readonly appended: Array<RecordDraft>
  /** Of all starts. */
  readonly session: Context.Service.Shape<typeof MarketSession>
  /** Of a file below the data folder. */
  read(file: string): Buffer
  /** A start of the program on the same folders; ends with its scope. */
  start(
    selection: SymbolSelection,
    options?: Partial<DayUniverseOptions>
  ): Effect.Effect<Context.Service.Shape<typeof DayUniverse>, unknown, Scope.Scope>
}

export const instant = (date: string, hour: string) => marketInstant(date, hour) ?? assert.fail(`${date} ${hour}`)

/** Sets the virtual clock to a market date and time. */
export const setMarket = (date: string, hour: string) => TestClock.setTime(instant(date, hour))

/** A disk in memory with the folders that a start makes before anything else. */
export const preparedDisk = () => {
  const disk = new MemoryDisk("/observer")
  for (const folder of ["data", "state"]) disk.put(`${folder}/.made`, Buffer.alloc(0))
  return disk
}

/** Folders of the test's own, in memory if a disk is given, and a journal that remembers. */
export const makeUniverseStage = (
  masterUrl: string,
  memory?: MemoryDisk
): Effect.Effect<UniverseStage, never, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = memory === undefined ? yield* scratchFolder : memory.root
    const session = Context.get(yield* Layer.build(Layer.fresh(MarketSession.layer("calendar"))), MarketSession)
    if (memory === undefined) for (const name of ["data", "state"]) mkdirSync(join(folder, name))
    const appended: Array<RecordDraft> = []
    return {
      folder,
      appended,
      session,
      read: (file) =>
        memory === undefined
          ? readFileSync(join(folder, "data", file))
          : (memory.files().get(`data/${file}`) ?? assert.fail(`there is no ${file}`)),
      start: (selection, options) => {
        const layer = DayUniverse.layer({
          selection,
          watched: [],
          dataDir: join(folder, "data"),
          stateDir: join(folder, "state"),
          masterUrl,
          place: "test",
          append: (drafts) => Effect.sync(() => appended.push(...drafts)),
          ...options
        }).pipe(
          Layer.provide([
            memory?.layer ?? Disk.layer,
            NodeHttpClient.layerUndici,
            Layer.succeed(MarketSession, session)
          ]),
          Layer.fresh
        )
        return Effect.gen(function* () {
          const universe = Context.get(yield* Layer.build(layer), DayUniverse)
          // Not waited for at the end: a process that was killed in the middle of a change never comes back to end it.
          const fiber = yield* Effect.forkDetach(Effect.flatMap(universe.changer, ({ run }) => run))
          yield* Effect.addFinalizer(() => Effect.sync(() => fiber.interruptUnsafe()))
          return universe
        })
      }
    }
  })

/** The status, to be looked at in a condition, by the test's own clock. */
export const statusOf = ({ status }: Context.Service.Shape<typeof DayUniverse>) =>
  Effect.map(Effect.context<never>(), (context) => () => Effect.runSyncWith(context)(status))

/** The payloads of the universe markers, after checking that each one's file is there with the bytes it names. */
export const markersOf = ({ appended, read }: UniverseStage) =>
  appended.map(({ kind, payload }) => {
    const marker = payload as Readonly<Record<string, unknown>>
    assert.strictEqual(kind, "marker")
    const bytes = read(String(marker["file"]))
    const sha256 = createHash("sha256").update(bytes).digest("hex")
    assert.deepInclude(marker, { event: "universe", sha256 })
    assert.match(String(marker["file"]), new RegExp(`/universe-${sha256.slice(0, 12)}\\.json$`))
    const document = JSON.parse(bytes.toString()) as {
      readonly symbols: ReadonlyArray<{ readonly code: string }>
      readonly indices: ReadonlyArray<{ readonly code: string }>
      readonly rule: string
    }
    assert.deepInclude(marker, {
      symbols: document.symbols.length,
      indices: document.indices.length,
      rule: document.rule
    })
    return { ...marker, codes: [...document.symbols, ...document.indices].map(({ code }) => code) } as Readonly<
      Record<string, unknown>
    >
  })
