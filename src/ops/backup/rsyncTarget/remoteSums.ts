import { Effect } from "effect"
import type { Found, HashedFile, OnBytes, TargetError } from "../BackupTarget.ts"
import type { ChildEnd } from "../childProgram.ts"

type RunThere = (command: string, input: string, onLine: (line: string) => void) => Effect.Effect<ChildEnd, TargetError>

/** For the shell at the other end, which reads the command whatever we do. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** A line of sha256sum; a name with odd characters is escaped, and the line begins with a backslash. */
const sumOf = (line: string): readonly [file: string, sha256: string] | undefined => {
  const [, escape, sha256, name] = /^(\\?)([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? []
  if (sha256 === undefined || name === undefined) return undefined
  const plain = name.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter === "r" ? "\r" : letter))
  return [(escape === "" ? name : plain).replace(/^\.\//, ""), sha256]
}

/**
 * Has the other host make the hashes. `found` is undefined when it cannot: a restricted shell, or no sha256sum.
 *
 * @param runThere runs a command in the other host's shell
 */
export const remoteSums = (
  files: ReadonlyArray<HashedFile>,
  { path }: { readonly path: string },
  onBytes: OnBytes,
  runThere: RunThere
) => {
  const lengths = new Map(files.map(({ bytes, file }) => [file, bytes]))
  const onLine = (line: string) => {
    const [file = ""] = sumOf(line) ?? []
    onBytes(lengths.get(file) ?? 0)
  }
  // A relative path begins in the user's home, in ssh as in rsync.
  const command = `cd ${quoted(path.startsWith("-") ? `./${path}` : path)} && xargs -0 sha256sum`
  return Effect.map(runThere(command, files.map(({ file }) => `./${file}\0`).join(""), onLine), (end) => {
    const sums = new Map(
      end.stdout.split("\n").flatMap((line) => {
        const sum = sumOf(line)
        return sum === undefined ? [] : [sum]
      })
    )
    if (sums.size === 0 && files.length > 0) return { end, found: undefined }
    const found = files.map(({ file, sha256 }): readonly [string, Found] => {
      const is = sums.get(file)
      return [file, is === undefined ? "missing" : is === sha256 ? "same" : "damaged"]
    })
    return { end, found: new Map(found) }
  })
}
