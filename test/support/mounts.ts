import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { systemCode } from "../../src/domain/systemCode.ts"

const run = (command: string, ...rest: ReadonlyArray<string>): boolean =>
  spawnSync(command, rest, { stdio: "ignore" }).status === 0

const mayMount = (): boolean => {
  const folder = mkdtempSync(join(tmpdir(), "observer-mount-"))
  const isMounted = run("mount", "-t", "tmpfs", "tmpfs", folder)
  if (isMounted) run("umount", folder)
  rmSync(folder, { recursive: true, force: true })
  return isMounted
}

/** `false` where this user may not mount; said once, for the tests of real file systems then skip. */
export const hasMounts = mayMount()
if (!hasMounts) console.warn("skipped: tests that mount a tmpfs, for this user may not mount (as root they run)")

/** A file system of its own in memory, gone with its scope. */
export const mounted = (size_mb: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const parent = mkdtempSync(join(tmpdir(), "observer-mount-"))
      const path = join(parent, "disk")
      mkdirSync(path)
      const mount = () => {
        if (!run("mount", "-t", "tmpfs", "-o", `size=${size_mb}m`, "tmpfs", path))
          throw new Error(`cannot mount ${path}`)
      }
      mount()
      return {
        path,
        parent,
        mount,
        /** Takes it away though files on it are open. */
        unmount: () => void run("umount", "-l", path),
        setReadOnly: (isReadOnly: boolean) => {
          // What is open for writing makes the system refuse; it is forced as a disk with errors forces it.
          if (!run("mount", "-o", `remount,${isReadOnly ? "ro" : "rw"}`, path)) throw new Error("cannot remount")
        }
      }
    }),
    ({ parent, path }) =>
      Effect.sync(() => {
        while (run("umount", "-l", path));
        rmSync(parent, { recursive: true, force: true })
      })
  )

/** Writes until not a byte more goes in. */
export const fillUp = (path: string) => {
  const file = openSync(path, "w")
  const page = Buffer.alloc(4_096)
  try {
    while (true) writeSync(file, page)
  } catch (cause) {
    assert.strictEqual(systemCode(cause), "ENOSPC")
  } finally {
    closeSync(file)
  }
}
