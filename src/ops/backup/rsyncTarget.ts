import { Effect } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import {
  type BackupTarget,
  type CheckOptions,
  type Found,
  type HashedFile,
  TargetError,
  type TargetFile,
  type TargetKind,
  type TargetReason
} from "./BackupTarget.ts"
import { type ChildEnd, type ChildOptions, runChild } from "./childProgram.ts"
import { hashFile } from "./hashFile.ts"
import { type RsyncPlace, rsyncPlace } from "./rsyncTarget/rsyncPlace.ts"
import { itemized, unescaped } from "./rsyncTarget/rsyncWords.ts"
import { remoteSums } from "./rsyncTarget/remoteSums.ts"
import { maskPasswords, scrubbed } from "./passwords.ts"
import { needProgram } from "./needProgram.ts"

const version_min = [3, 1] as const
/** A connection that says nothing for so long is given up by rsync itself, and a little later by us. */
const io_seconds = 120
const silence_seconds = io_seconds + 60
/** The other side may read through a batch of files before it says a word. */
const check_silence_seconds = 900

/** No question is ever asked: nobody is there to answer. */
const ssh = [
  "ssh",
  ...["BatchMode=yes", "ConnectTimeout=20", "ServerAliveInterval=15", "ServerAliveCountMax=4"].flatMap((option) => [
    "-o",
    option
  ])
]

/** Exit codes of rsync that mean the way there, not a file. */
const unreachable = new Set([10, 12, 30, 35, 255])
/** Some files could not be transferred, or were gone: the look at the target tells which. */
const partial = new Set([23, 24])

const reasonOf = ({ code, stderr }: ChildEnd): TargetReason =>
  /no space left|quota exceeded/i.test(stderr)
    ? "full"
    : /permission denied|auth failed|unknown module|read-only|host key verification/i.test(stderr)
      ? "refused"
      : unreachable.has(code)
        ? "unreachable"
        : "failed"

const advice: Readonly<Partial<Record<TargetReason, string>>> = {
  full: "make room there; what is there already stays good",
  refused: "see that the key, the module and the rights are in order: ssh must need no password and no question",
  unreachable: "see that the host is up and answers",
  failed: "see that the folder is there"
}

const make = (address: string, place: RsyncPlace): BackupTarget => {
  const name = `rsync:${maskPasswords(address)}`
  const failure = (reason: TargetReason, detail: string) => new TargetError({ target: name, reason, detail })
  const base = place.address.endsWith("/") ? place.address : `${place.address}/`

  const run = (options: Omit<ChildOptions, "program">, program = "rsync") =>
    Effect.mapError(runChild({ program, ...options }), (error) =>
      failure(error.reason === "silent" ? "silent" : error.reason === "missing" ? "program" : "failed", error.message)
    )
  const judged = (end: ChildEnd) => {
    if (end.code === 0) return Effect.undefined
    const words = scrubbed(end.stderr, address) || `rsync ended with ${end.code}`
    if (partial.has(end.code) && reasonOf(end) !== "full") return Effect.succeed(words)
    if (/change_dir .*failed: No such file/.test(end.stderr)) {
      return Effect.fail(failure("refused", "there is no such folder: mount the disk there, or make the folder"))
    }
    const reason = reasonOf(end)
    return Effect.fail(failure(reason, `${words} (exit code ${end.code}); ${advice[reason] ?? ""}`))
  }
  const common = [
    "-s",
    "--no-human-readable",
    `--timeout=${io_seconds}`,
    ...(place.kind === "daemon" ? ["--contimeout=20"] : []),
    ...(place.kind === "host" ? ["-e", ssh.join(" ")] : [])
  ]
  const named = ["--files-from=-", "--from0"]
  const names = (files: ReadonlyArray<TargetFile>) => files.map(({ file }) => `${file}\0`).join("")

  /** A folder that is not there yet has no files: its parent is, or the address is wrong. */
  const transfer = (
    args: ReadonlyArray<string>,
    files: ReadonlyArray<TargetFile>,
    onBytes: (bytes: number) => void
  ) => {
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
    let done = 0
    const onLine = (line: string) => {
      const bytes = Number(/^\s*(\d+)\s+\d+%/.exec(line)?.[1] ?? Number.NaN)
      if (!(bytes > done)) return
      const upTo = Math.min(bytes, total)
      onBytes(upTo - done)
      done = upTo
    }
    const options = [
      ...common,
      ...named,
      "--times",
      "--partial-dir=.rsync-partial",
      "--no-whole-file",
      "--info=progress2"
    ]
    return run({ args: [...options, ...args], input: names(files), silence_seconds, onLine, isKept: false }).pipe(
      Effect.flatMap(judged),
      Effect.tap(() => Effect.sync(() => onBytes(Math.max(0, total - done))))
    )
  }

  const fetch = (root: string, files: ReadonlyArray<TargetFile>, onBytes: (bytes: number) => void) =>
    transfer(["--", base, `${root}/`], files, onBytes)

  const hashed = (root: string, files: ReadonlyArray<HashedFile>, onBytes: (bytes: number) => void) =>
    Effect.forEach(files, ({ bytes, file, sha256 }) =>
      Effect.map(hashFile(join(root, ...file.split("/")), onBytes), (is): readonly [string, Found] => [
        file,
        is === undefined ? "missing" : is.sha256 === sha256 && is.bytes === bytes ? "same" : "damaged"
      ])
    ).pipe(
      Effect.map((found) => new Map(found)),
      Effect.mapError((error) => failure("failed", error.message))
    )

  /**
   * Files of which nothing was said are looked for again: only one that is then missing is missing.
   *
   * @param look what the second look finds of them
   */
  const decided = Effect.fnUntraced(function* (
    files: ReadonlyArray<HashedFile>,
    said: ReadonlyMap<string, Found>,
    look: (open: ReadonlyArray<HashedFile>) => Effect.Effect<ReadonlyMap<string, Found>, TargetError>
  ) {
    const open = files.filter(({ file }) => !said.has(file))
    const later = open.length === 0 ? new Map<string, Found>() : yield* look(open)
    const unsaid = open.find(({ file }) => later.get(file) !== "missing")
    if (unsaid !== undefined) return yield* failure("failed", `nothing was said of ${unsaid.file}, which is there`)
    return new Map(files.map(({ file }) => [file, said.get(file) ?? "missing"] as const))
  })

  /** rsync's own checksums of both sides, where there is no shell to ask. */
  const compared = (root: string, files: ReadonlyArray<HashedFile>) =>
    run({
      args: [...common, ...named, "--dry-run", "--checksum", "-ii", "--out-format=%i %n", "--", `${root}/`, base],
      input: names(files),
      silence_seconds: check_silence_seconds
    }).pipe(
      Effect.flatMap((end) => Effect.as(judged(end), itemized(end.stdout))),
      Effect.flatMap((said) => decided(files, said, (open) => hashed(root, open, () => undefined)))
    )

  /** A list that is not whole is none. */
  const list = (folders?: ReadonlyArray<string>) => {
    const parents = (folder: string) =>
      folder.split("/").map((_, index, parts) => `/${parts.slice(0, index + 1).join("/")}/`)
    const filters =
      folders === undefined
        ? []
        : [...new Set(folders.flatMap((folder) => [...parents(folder), `/${folder}/***`]))]
            .map((each) => `--include=${each}`)
            .concat("--exclude=*")
    return Effect.acquireUseRelease(
      Effect.tryPromise({
        try: () => mkdtemp(join(tmpdir(), "observer-list-")),
        catch: (cause) => failure("failed", String(cause))
      }),
      (empty) =>
        run({
          args: [...common, "-rn", "--out-format=%i %l %n", "--exclude=.*", ...filters, "--", base, `${empty}/`],
          silence_seconds
        }),
      (empty) => Effect.promise(() => rm(empty, { recursive: true, force: true }))
    ).pipe(
      Effect.tap(judged),
      Effect.filterOrFail(
        ({ code }) => code === 0,
        ({ stderr }) => failure("failed", `it cannot be listed whole: ${scrubbed(stderr, address)}`)
      ),
      Effect.map(({ stdout: text }) =>
        text.split("\n").flatMap((line) => {
          const [, bytes, file] = /^\S?f\S* (\d+) (.*)$/.exec(line) ?? []
          return file === undefined ? [] : [{ file: unescaped(file), bytes: Number(bytes) }]
        })
      )
    )
  }

  const downloaded = (files: ReadonlyArray<HashedFile>, { onBytes, scratch }: CheckOptions) =>
    Effect.acquireUseRelease(
      Effect.tryPromise({
        try: () => mkdtemp(join(scratch, "check-")),
        catch: (cause) => failure("failed", `no room to hold files against their hashes: ${String(cause)}`)
      }),
      (folder) =>
        Effect.gen(function* () {
          yield* fetch(folder, files, onBytes)
          const found = yield* hashed(folder, files, () => undefined)
          const arrived = new Map([...found].filter(([, is]) => is !== "missing"))
          return yield* decided(files, arrived, (open) =>
            Effect.map(list([...new Set(open.map(({ file }) => dirname(file)))]), (there) => {
              const isThere = new Set(there.map(({ file }) => file))
              return new Map(open.map(({ file }) => [file, isThere.has(file) ? "damaged" : "missing"] as const))
            })
          )
        }),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
    )

  const check = (files: ReadonlyArray<HashedFile>, options: CheckOptions) => {
    if (place.kind === "local") return hashed(place.address, files, options.onBytes)
    const withoutShell = Effect.suspend(() =>
      options.root === undefined
        ? downloaded(files, options)
        : Effect.tap(compared(options.root, files), () =>
            Effect.sync(() => options.onBytes(files.reduce((sum, { bytes }) => sum + bytes, 0)))
          )
    )
    if (place.kind === "daemon") return withoutShell
    const [program = "", ...args] = ssh
    return remoteSums(files, place, options.onBytes, (command, input, onLine) =>
      run({ args: [...args, place.host, command], input, silence_seconds: check_silence_seconds, onLine }, program)
    ).pipe(
      Effect.flatMap(({ end, found }) => {
        if (end.code === 255)
          return Effect.fail(failure("unreachable", `${scrubbed(end.stderr, address)}; ${advice.unreachable}`))
        if (found === undefined) return withoutShell
        if (files.every(({ file }) => found.has(file))) return Effect.succeed(found)
        const words = scrubbed(end.stderr, address)
        return Effect.fail(failure("failed", `the host did not say the hash of every file: ${words}`))
      })
    )
  }

  return {
    name,
    ...(place.kind === "local" ? { localPath: place.address } : {}),
    prepare: needProgram({
      target: name,
      program: "rsync",
      args: ["--version"],
      version_min,
      pattern: /version (\d+)\.(\d+)/
    }),
    send: (root, files, { again, onBytes }) =>
      transfer([...(again ? ["--ignore-times"] : []), "--", `${root}/`, base], files, onBytes),
    check,
    list,
    fetch
  }
}

export const rsyncKind: TargetKind = {
  allowed: "rsync:user@host:/path",
  parse: (address) => {
    if (!address.startsWith("rsync:")) return undefined
    // `rsync://host/module` is an address of rsync's own.
    const own = address.startsWith("rsync://") ? address : address.slice("rsync:".length)
    return make(own, rsyncPlace(own))
  }
}
