import { Effect, Exit } from "effect"
import { createReadStream } from "node:fs"
import { mkdir, open, readdir, rename, stat, utimes } from "node:fs/promises"
import { basename, dirname, join, resolve, sep } from "node:path"
import { systemCode } from "../../domain/systemCode.ts"
import {
  type BackupTarget,
  type Found,
  type OnBytes,
  TargetError,
  type TargetFile,
  type TargetKind
} from "./BackupTarget.ts"
import { hashOf } from "./hashFile.ts"
import { makeSilence } from "./silence.ts"

/** A disk that does not answer for so long is hung. */
const silence_seconds = 120

/** Places with a call on its way. One that never comes back keeps a thread of the process, so there is never a second one. */
const hung = new Set<string>()

const syncFolder = async (path: string) => {
  if (process.platform === "win32") return
  const handle = await open(path, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Copies a file under a hidden name, from where an earlier copy ended, and then gives it its own. */
const copyFile = async (from: string, to: string, goOn: boolean, onBytes: OnBytes, signal: AbortSignal) => {
  const draft = join(dirname(to), `.${basename(to)}.part`)
  await mkdir(dirname(to), { recursive: true })
  const source = await stat(from)
  const handle = await open(draft, goOn ? "a" : "w")
  try {
    const { size } = await handle.stat()
    const start = size <= source.size ? size : 0
    if (start !== size) await handle.truncate(0)
    onBytes(start)
    for await (const block of createReadStream(from, { start, highWaterMark: 1 << 18, signal })) {
      await handle.appendFile(block as Buffer)
      onBytes((block as Buffer).length)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  await utimes(draft, source.atime, source.mtime)
  await rename(draft, to)
  await syncFolder(dirname(to))
}

/** Whether length and time are those of the source, as of a file that was copied whole. */
const looksSame = async (from: string, to: string): Promise<boolean> => {
  try {
    const [a, b] = [await stat(from), await stat(to)]
    return a.size === b.size && Math.abs(a.mtimeMs - b.mtimeMs) < 2_000
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return false
    throw cause
  }
}

const walk = async (root: string, folder: string, found: Array<TargetFile>): Promise<void> => {
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await walk(root, path, found)
    else if (entry.isFile()) {
      found.push({ file: path.split(sep).join("/"), bytes: (await stat(join(root, path))).size })
    }
  }
}

/** A folder of this machine: another disk, or a share that is mounted. */
export const folderTarget = (
  path: string,
  limits: { readonly silence_seconds: number } = { silence_seconds }
): BackupTarget => {
  const root = resolve(path)
  const at = (file: string) => join(root, ...file.split("/"))
  const failure = (reason: TargetError["reason"], detail: string) => new TargetError({ target: root, reason, detail })
  const failed = (cause: unknown) => {
    const code = systemCode(cause)
    if (["ENOSPC", "EDQUOT", "EFBIG"].includes(code)) {
      return failure("full", `it is full (${code}): make room there, what is there already stays good`)
    }
    if (["EACCES", "EPERM", "EROFS"].includes(code)) {
      return failure("refused", `it cannot be written or read (${code}): give the observer's user the right to it`)
    }
    return failure("failed", `${code}; see whether the disk is there and in order`)
  }
  const silent = failure("silent", "the disk does not answer: see whether the share and its server are there")

  /** One call at a time; one that hangs is left behind, and until it comes back the target is not used. */
  const attempt = <A>(
    use: (signal: AbortSignal, onBytes: OnBytes) => Promise<A>,
    onBytes: OnBytes = () => undefined
  ): Effect.Effect<A, TargetError> =>
    Effect.suspend(() => {
      if (hung.has(root)) return Effect.fail(silent)
      const { hear, quiet } = makeSilence(limits.silence_seconds)
      const call = Effect.callback<A, TargetError>((resume) => {
        const abort = new AbortController()
        hung.add(root)
        const heard: OnBytes = (bytes) => {
          hear()
          onBytes(bytes)
        }
        use(abort.signal, heard)
          .finally(() => hung.delete(root))
          .then(
            (value) => resume(Effect.succeed(value)),
            (cause: unknown) => resume(Effect.fail(failed(cause)))
          )
        return Effect.sync(() => abort.abort())
      })
      return Effect.raceFirst(call, Effect.andThen(quiet, Effect.fail(silent)))
    })

  return {
    name: root,
    localPath: root,
    prepare: Effect.flatMap(Effect.exit(attempt(() => stat(root))), (exit) =>
      Exit.isSuccess(exit) && exit.value.isDirectory()
        ? Effect.void
        : Effect.fail(
            failure("refused", "there is no such folder: mount the disk, or make the folder; it is not made here")
          )
    ),
    send: (source, files, { again, onBytes }) =>
      Effect.as(
        Effect.forEach(
          files,
          ({ bytes, file }) =>
            attempt(async (signal, hear) => {
              const from = join(source, ...file.split("/"))
              if (!again && (await looksSame(from, at(file)))) return hear(bytes)
              try {
                await copyFile(from, at(file), !again, hear, signal)
              } catch (cause) {
                // It got another form meanwhile; the look at the target finds that it is missing.
                if (systemCode(cause) !== "ENOENT") throw cause
              }
            }, onBytes),
          { discard: true }
        ),
        undefined
      ),
    check: (files, { onBytes }) =>
      Effect.map(
        Effect.forEach(files, ({ bytes, file, sha256 }) =>
          attempt(async (signal, hear): Promise<readonly [string, Found]> => {
            try {
              const is = await hashOf(at(file), hear, signal)
              return [file, is.sha256 === sha256 && is.bytes === bytes ? "same" : "damaged"]
            } catch (cause) {
              if (["ENOENT", "ENOTDIR"].includes(systemCode(cause))) return [file, "missing"]
              if (systemCode(cause) === "EIO") return [file, "damaged"]
              throw cause
            }
          }, onBytes)
        ),
        (found) => new Map(found)
      ),
    list: (folders = [""]) =>
      attempt(async (_, hear) => {
        const found: Array<TargetFile> = []
        for (const folder of folders) {
          await walk(root, folder, found).catch((cause: unknown) => {
            if (systemCode(cause) !== "ENOENT") throw cause
          })
          hear(0)
        }
        return found
      }),
    fetch: (into, files, onBytes) =>
      Effect.as(
        Effect.forEach(
          files,
          ({ file }) =>
            attempt(async (signal, hear) => {
              try {
                await copyFile(at(file), join(into, ...file.split("/")), true, hear, signal)
              } catch (cause) {
                // Whoever asked for it looks whether it has arrived.
                if (systemCode(cause) !== "ENOENT") throw cause
              }
            }, onBytes),
          { discard: true }
        ),
        undefined
      )
  }
}

export const folderKind: TargetKind = {
  allowed: "a folder",
  parse: (address) => {
    if (address.startsWith("~")) throw new Error("~ is not expanded here, write the whole path")
    if (/[\x00-\x1f]/.test(address)) throw new Error("it holds control characters")
    return folderTarget(address)
  }
}
