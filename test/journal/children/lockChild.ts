// A process that takes the lock of each folder it is sent, says how that went, and holds what it got.
import { Effect, Exit, Scope } from "effect"
import { FolderLock } from "../../../src/journal/FolderLock.ts"

const scope = Scope.makeUnsafe()

process.on("message", (folder) => {
  const attempt = FolderLock.acquire(String(folder), "child").pipe(
    Effect.as("held"),
    Effect.catch((error) => Effect.succeed(error._tag))
  )
  Effect.runPromise(Scope.provide(attempt, scope)).then((answer) => process.send?.(answer))
})
process.on("disconnect", () => Effect.runPromise(Scope.close(scope, Exit.void)).then(() => process.exit(0)))
