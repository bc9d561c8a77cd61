// What runs in the observer runs under its supervisor: only `actor/` may start a fiber that outlives its caller. A child
// of the fiber that starts it ends with it, and is allowed. The simulator is a program of its own.
import { readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"

const unsupervised =
  /\b(?:Effect\.(?:forkDetach|forkScoped|forkIn|runFork|runPromise|runPromiseExit|runCallback|runSync)|Layer\.launch|(?:FiberMap|FiberSet|FiberHandle)\.(?:make|run|runtime)\w*|Stream\.(?:share|broadcast)\w*)\b/g

/** Fibers started out of the supervisor's sight below `root`, one sentence each. */
export const violations = (root) =>
  readdirSync(root, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name)
    const [room] = relative(root, path).split(sep)
    if (!entry.isFile() || !entry.name.endsWith(".ts") || room === "actor" || room === "simulator") return []
    return readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line, index) =>
        [...line.matchAll(unsupervised)].map(
          ([call]) => `${relative(root, path)}:${index + 1}: ${call} starts what no supervisor sees; make it an actor`
        )
      )
  })

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = violations(fileURLToPath(new URL("../src", import.meta.url)))
  for (const line of found) console.error(line)
  if (found.length > 0) process.exit(1)
  console.log("forks: everything runs under the supervisor")
}
