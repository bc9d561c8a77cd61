import { Context, Effect } from "effect"
import type { ChildProcess } from "node:child_process"
import { readFile, rm, writeFile } from "node:fs/promises"
import { isAlive, startedAt } from "../../journal/ProcessLife.ts"

/** Where the program that is running is noted; nowhere if nobody says. */
export const OrphanNote = Context.Reference<string | undefined>("observer/ops/backup/OrphanNote", {
  defaultValue: () => undefined
})

interface Note {
  readonly pid: number
  readonly started: string | undefined
}

/** How long an orphan may take to put away what it has. */
const end_looks = 100
const look = "100 millis"

/** Notes a program while it runs: one whose observer is killed goes on by itself. */
export const noted = Effect.fnUntraced(function* (child: ChildProcess) {
  const path = yield* OrphanNote
  const { pid } = child
  if (path === undefined || pid === undefined) return
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const note: Note = { pid, started: await startedAt(pid) }
      await writeFile(path, JSON.stringify(note)).catch(() => undefined)
    }),
    () => Effect.promise(() => rm(path, { force: true }).catch(() => undefined))
  )
})

const signal = (pid: number, name: NodeJS.Signals) =>
  Effect.sync(() => {
    try {
      process.kill(process.platform === "win32" ? pid : -pid, name)
    } catch {
      // It is gone.
    }
  })

/** Ends the program that a killed run has left behind, so that no two write the same files; it keeps what it has. */
export const endOrphan = Effect.fnUntraced(function* (path: string) {
  const text = yield* Effect.promise(() => readFile(path, "utf8").catch(() => ""))
  const note = yield* Effect.sync((): Partial<Note> => {
    try {
      return JSON.parse(text) as Partial<Note>
    } catch {
      return {}
    }
  })
  const { pid, started } = note
  // Without the moment of its start the number may be anybody's.
  if (typeof pid === "number" && typeof started === "string") {
    const isThere = Effect.promise(() => isAlive(pid, started))
    if (yield* isThere) {
      yield* Effect.logWarning("a killed backup has left a program running, which is ended", { pid })
      yield* signal(pid, "SIGTERM")
      for (let looks = 0; looks < end_looks && (yield* isThere); looks++) yield* Effect.sleep(look)
      if (yield* isThere) yield* signal(pid, "SIGKILL")
    }
  }
  yield* Effect.promise(() => rm(path, { force: true }).catch(() => undefined))
})
