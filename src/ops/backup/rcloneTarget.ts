import { Effect, Result, Schema } from "effect"
import {
  type BackupTarget,
  type Found,
  type HashedFile,
  type OnBytes,
  TargetError,
  type TargetFile,
  type TargetKind,
  type TargetReason
} from "./BackupTarget.ts"
import { type ChildEnd, type ChildOptions, runChild } from "./childProgram.ts"
import { needProgram } from "./needProgram.ts"
import { maskPasswords, scrubbed } from "./passwords.ts"

const version_min = [1, 55] as const
/** It says how far it is every second. */
const silence_seconds = 180
/** A remote without hashes of its own is read through, and may be slow. */
const check_silence_seconds = 900

const common = ["--ask-password=false", "--contimeout=20s", "--timeout=120s", "--retries=2", "--low-level-retries=5"]
const transferring = ["--use-json-log", "--stats=1s", "--stats-log-level=NOTICE", "--no-traverse", "--transfers=4"]

const Line = Schema.Struct({
  level: Schema.String,
  msg: Schema.String,
  stats: Schema.optionalKey(Schema.Struct({ bytes: Schema.Int }))
})
const decodeLine = Schema.decodeUnknownResult(Schema.fromJsonString(Line))
const decodeList = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Array(Schema.Struct({ Path: Schema.String, Size: Schema.Int })))
)

/** What went wrong, out of its log. */
const complaintOf = (stderr: string): string => {
  const lines = stderr.split("\n").flatMap((line) => {
    const read = decodeLine(line)
    if (Result.isFailure(read)) return line.startsWith("{") || line.includes("NOTICE") ? [] : [line]
    return ["error", "critical", "fatal"].includes(read.success.level) ? [read.success.msg] : []
  })
  return lines.join("\n")
}

const reasonOf = (code: number, words: string): TargetReason =>
  /no space left|quota|insufficient storage|storage limit/i.test(words)
    ? "full"
    : /didn't find section|unknown backend|permission denied|unauthori[sz]ed|access ?denied|forbidden|invalid_grant|token/i.test(
          words
        )
      ? "refused"
      : code === 5 || /dial tcp|no such host|timeout|connection (refused|reset)/i.test(words)
        ? "unreachable"
        : "failed"

const advice: Readonly<Partial<Record<TargetReason, string>>> = {
  full: "make room there; what is there already stays good",
  refused: "see that rclone config has this remote, for the user the observer runs as: rclone lsd lists it",
  unreachable: "see that the network and the remote are there",
  failed: "try rclone lsd with the same remote"
}

/** rclone takes a list of names by the line: one with a line's end in it cannot be said. */
const names = (files: ReadonlyArray<TargetFile>) =>
  files.flatMap(({ file }) => (/[\r\n]/.test(file) ? [] : [`${file}\n`])).join("")

const make = (remote: string): BackupTarget => {
  const name = `rclone:${maskPasswords(remote)}`
  const failure = (reason: TargetReason, detail: string) => new TargetError({ target: name, reason, detail })
  const run = (options: Omit<ChildOptions, "program">) =>
    Effect.mapError(runChild({ program: "rclone", ...options }), (error) =>
      failure(error.reason === "silent" ? "silent" : error.reason === "missing" ? "program" : "failed", error.message)
    )
  const wrong = ({ code, stderr }: ChildEnd) => {
    const words = scrubbed(complaintOf(stderr), remote) || `rclone ended with ${code}`
    const reason = reasonOf(code, words)
    return failure(reason, `${words} (exit code ${code}); ${advice[reason] ?? ""}`)
  }

  const copy = (
    from: string,
    to: string,
    more: ReadonlyArray<string>,
    files: ReadonlyArray<TargetFile>,
    onBytes: OnBytes
  ) => {
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
    let done = 0
    const onLine = (line: string) => {
      const read = decodeLine(line)
      const bytes = Result.isSuccess(read) ? (read.success.stats?.bytes ?? 0) : 0
      if (bytes <= done) return
      const upTo = Math.min(bytes, total)
      onBytes(upTo - done)
      done = upTo
    }
    const args = ["copy", from, to, "--files-from-raw=-", ...common, ...transferring, ...more]
    return Effect.flatMap(run({ args, input: names(files), silence_seconds, onLine, isKept: false }), (end) => {
      if (end.code !== 0) return Effect.fail(wrong(end))
      onBytes(Math.max(0, total - done))
      return Effect.undefined
    })
  }

  const sums = (files: ReadonlyArray<TargetFile>, more: ReadonlyArray<string>) =>
    Effect.map(
      run({
        args: [
          "hashsum",
          "sha256",
          remote,
          "--files-from-raw=-",
          ...common,
          "--use-json-log",
          "--stats=10s",
          "--stats-log-level=NOTICE",
          ...more
        ],
        input: names(files),
        silence_seconds: check_silence_seconds
      }),
      (end) => {
        const found = new Map(
          end.stdout.split("\n").flatMap((line) => {
            const [, sum, file] = /^ *([0-9a-f]{64}|UNSUPPORTED|ERROR|) {2}(.+)$/.exec(line) ?? []
            return file === undefined ? [] : [[file, sum ?? ""] as const]
          })
        )
        return { end, found }
      }
    )

  /** Of files those that are there, by their length; anything but a good end is a failure. */
  const lengths = Effect.fnUntraced(function* (files: ReadonlyArray<TargetFile>) {
    const args = [
      "lsjson",
      "-R",
      "--files-only",
      "--no-mimetype",
      "--no-modtime",
      remote,
      "--files-from-raw=-",
      ...common
    ]
    const end = yield* run({ args, input: names(files), silence_seconds })
    const read = decodeList(end.stdout)
    if (end.code !== 0 || Result.isFailure(read)) return yield* wrong(end)
    return new Map(read.success.map(({ Path, Size }) => [Path, Size]))
  })

  /** Of a remote that is this machine's disk by its very address. */
  const path = /^:local(?:,[^:]*)?:(.+)$/.exec(remote)?.[1]
  const isSum = (sum: string | undefined) => sum?.length === 64

  return {
    name,
    ...(path === undefined ? {} : { localPath: path }),
    prepare: needProgram({
      target: name,
      program: "rclone",
      args: ["version"],
      version_min,
      pattern: /rclone v(\d+)\.(\d+)/
    }),
    send: (root, files, { again, onBytes }) => copy(root, remote, again ? ["--ignore-times"] : [], files, onBytes),
    check: (files: ReadonlyArray<HashedFile>, { onBytes }) =>
      Effect.gen(function* () {
        const own = yield* sums(files, [])
        // Remotes that keep no SHA-256 are read through.
        const without = files.filter(({ file }) => own.found.has(file) && !isSum(own.found.get(file)))
        const read = without.length === 0 ? undefined : yield* sums(without, ["--download"])
        const sumOf = ({ file }: HashedFile) => [read?.found.get(file), own.found.get(file)].find(isSum)
        const open = files.filter((file) => sumOf(file) === undefined)
        // After an error of the way there, what was not said is not known to be missing.
        const ended = [own, read].find((each) => each !== undefined && each.end.code !== 0)
        const there = open.length === 0 ? new Map<string, number>() : yield* lengths(open)
        const unread = open.find(({ bytes, file }) => there.get(file) === bytes)
        if (unread !== undefined) {
          const detail = `it does not say the hash of ${unread.file}, which is there`
          return yield* ended === undefined ? failure("failed", detail) : wrong(ended.end)
        }
        return new Map(
          files.map((each): readonly [string, Found] => {
            onBytes(each.bytes)
            const sum = sumOf(each)
            const is = sum === undefined ? (there.has(each.file) ? "damaged" : "missing") : undefined
            return [each.file, is ?? (sum === each.sha256 ? "same" : "damaged")]
          })
        )
      }),
    list: (folders) =>
      Effect.gen(function* () {
        const filters = folders?.flatMap((folder) => ["--include", `/${folder}/**`]) ?? [
          "--exclude",
          ".*",
          "--exclude",
          ".*/**"
        ]
        const args = ["lsjson", "-R", "--files-only", "--no-mimetype", "--no-modtime", remote, ...common, ...filters]
        const end = yield* run({ args, silence_seconds })
        // There is nothing yet.
        if (end.code === 3) return []
        const read = decodeList(end.stdout)
        if (end.code !== 0) return yield* wrong(end)
        if (Result.isFailure(read)) return yield* failure("failed", "rclone lsjson says what is not understood")
        const isHidden = (file: string) => /(^|\/)\./.test(file)
        return read.success.flatMap(({ Path: file, Size: bytes }) => (isHidden(file) ? [] : [{ file, bytes }]))
      }),
    fetch: (root, files, onBytes) => copy(remote, root, [], files, onBytes)
  }
}

export const rcloneKind: TargetKind = {
  allowed: "rclone:remote:path",
  parse: (address) => {
    if (!address.startsWith("rclone:")) return undefined
    const remote = address.slice("rclone:".length)
    if (!/^:?[^-:][^:]*:/.test(remote) || /[\x00-\x1f]/.test(remote)) {
      throw new Error("behind rclone: there is no remote, such as drive:observer")
    }
    return make(remote)
  }
}
