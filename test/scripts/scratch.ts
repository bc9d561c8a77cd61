import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { onTestFinished } from "vitest"

/** A folder of its own for one test, its path with a blank, with these files in it. */
export const scratch = (files: Readonly<Record<string, string>> = {}): string => {
  const root = mkdtempSync(join(tmpdir(), "observer scripts "))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  put(root, files)
  return root
}

export const put = (root: string, files: Readonly<Record<string, string>>): void => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

/** The exports of a script, as their caller says they are: scripts are plain Node and have no types. */
export const script = async <Exports>(name: string): Promise<Exports> => {
  const exports: Exports = await import(pathToFileURL(join("scripts", name)).href)
  return exports
}
