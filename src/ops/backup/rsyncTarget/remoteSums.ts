import { Effect } from "effect"
import type { Found, HashedFile, OnBytes, TargetError } from "../BackupTarget.ts"
import type { ChildEnd } from "../childProgram.ts"

type RunThere = (command: string, input: string, onLine: (line: string) => void) => Effect.Effect<ChildEnd, TargetError>

/** For the shell at the other end, which reads the command whatever we do. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The exit code of xargs when sha256sum came to its end and could not read some files. */
const unreadable = 123
/** The exit code of ssh when the connection broke. */
const unfinished = 255

/** A line of sha256sum; a name with odd characters is escaped, and the line begins with a backslash. */
const sumOf = (line: string): readonly [file: string, sha256: string] | undefined => {
  const [, escape, sha256, name] = /^(\\?)([0-9a-f]{64}) [ *](.*)$/.exec(line) ?? []
  if (sha256 === undefined || name === undefined) return undefined
  const plain = name.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter === "r" ? "\r" : letter))
  return [(escape === "" ? name : plain).replace(/^\.\//, ""), sha256]
}

/**
 * Has the other host make the hashes. `found` is undefined when it cannot: a restricted shell, or no sha256sum. A file of
 * which it says nothing is in `found` only when a second look has said whether it is there.
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
  const there = `cd ${quoted(path.startsWith("-") ? `./${path}` : path)}`
  const command = `${there} && xargs -0 sha256sum`
  const names = (some: ReadonlyArray<HashedFile>) => some.map(({ file }) => `./${file}\0`).join("")
  return Effect.gen(function* () {
    const end = yield* runThere(command, names(files), onLine)
    const sums = new Map(
      end.stdout.split("\n").flatMap((line) => {
        const sum = sumOf(line)
        return sum === undefined ? [] : [sum]
      })
    )
    if (sums.size === 0 && files.length > 0) return { end, found: undefined }
    const found = new Map<string, Found>()
    for (const { file, sha256 } of files) {
      const is = sums.get(file)
      if (is !== undefined) found.set(file, is === sha256 ? "same" : "damaged")
    }
    const open = files.filter(({ file }) => !found.has(file))
    if (open.length === 0 || end.code === unfinished) return { end, found }
    // A sign for each, in their order; more or fewer signs than files say nothing.
    const signs = `'for file do if test -e "$file"; then printf +; else printf -; fi; done'`
    const second = yield* runThere(`${there} && xargs -0 sh -c ${signs} sh`, names(open), () => undefined)
    if (second.code !== 0 || second.stdout.length !== open.length) return { end: second, found }
    for (const [index, { file }] of open.entries()) {
      if (second.stdout[index] === "-") found.set(file, "missing")
      else if (end.code === unreadable) found.set(file, "damaged")
    }
    return { end, found }
  })
}
