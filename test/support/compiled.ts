import { Data, Effect } from "effect"
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"

class NotCompiled extends Data.TaggedError("NotCompiled")<{ readonly said: string }> {}

const root = fileURLToPath(new URL("../..", import.meta.url))
const cache = join(root, "node_modules", ".cache")

/**
 * Compiles some TypeScript files, and what they import, to a folder of their own inside the project, for a test that needs
 * them in a process of their own: Node 20 runs no TypeScript. Gives the folder, in which the files keep their places.
 */
export const compiled = (files: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.callback<string, NotCompiled>((resume) => {
      mkdirSync(cache, { recursive: true })
      const folder = mkdtempSync(join(cache, "observer-test-"))
      const project = join(folder, "tsconfig.json")
      const compilerOptions = { noEmit: false, noCheck: true, rootDir: root, outDir: folder, types: [] }
      const sources = files.map((file) => join(relative(folder, root), file))
      writeFileSync(
        project,
        JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: [], files: sources })
      )
      execFile(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", project], (error, said) =>
        resume(
          error === null ? Effect.succeed(folder) : Effect.fail(new NotCompiled({ said: `${error.message} ${said}` }))
        )
      )
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )
