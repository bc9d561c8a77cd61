// Compiles src/ and migrations/ into dist/ when they have changed.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { SetupFailure } from "./failure.mjs"

const projects = [
  { config: "tsconfig.build.json", sources: "src", into: "." },
  { config: "tsconfig.migrations.json", sources: "migrations", into: "migrations" }
]
const staging = /^\.staging-(\d+)$/

/** Whether dist/ was made from the sources as they are now. */
export const isBuilt = (root) => readOr(stampFile(root)) === stampOf(root)

/**
 * Compiles beside the old files and then moves each changed file over its old self, so that a program that is running
 * from dist/ never finds a file missing or half written. The stamp goes first and comes last.
 */
export const build = (root) => {
  const dist = join(root, "dist")
  const stamp = stampOf(root)
  mkdirSync(dist, { recursive: true })
  for (const name of readdirSync(dist))
    if (staging.test(name)) rmSync(join(dist, name), { recursive: true, force: true })
  const fresh = join(dist, `.staging-${process.pid}`)
  try {
    for (const project of projects) compile(root, project, fresh)
    rmSync(stampFile(root), { force: true })
    replace(fresh, dist)
    writeFileSync(stampFile(root), stamp)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

const compile = (root, { config, into, sources }, fresh) => {
  if (sourcesOf(join(root, sources)).length === 0) return
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
  const args = [tsc, "-p", config, "--noEmit", "false", "--outDir", join(fresh, into)]
  const { error, status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" })
  if (error) throw new SetupFailure(`the compiler cannot be started (${error.message})`)
  if (status !== 0) throw new SetupFailure(`${config} does not compile:\n${stdout}${stderr}`.trim())
}

const replace = (fresh, dist) => {
  const made = new Set(filesOf(fresh).map((file) => relative(fresh, file)))
  for (const name of made) {
    const from = join(fresh, name)
    const to = join(dist, name)
    if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue
    mkdirSync(dirname(to), { recursive: true })
    renameSync(from, to)
  }
  for (const file of filesOf(dist)) {
    const name = relative(dist, file)
    if (!made.has(name) && !name.startsWith(".")) rmSync(file, { force: true })
  }
}

const stampFile = (root) => join(root, "dist", ".stamp")

/** A digest of everything that the result depends on. */
const stampOf = (root) => {
  const digest = createHash("sha256")
  const settings = ["package-lock.json", "tsconfig.json", ...projects.map(({ config }) => config)].map((name) =>
    join(root, name)
  )
  for (const file of [...settings, ...projects.flatMap(({ sources }) => sourcesOf(join(root, sources)))]) {
    digest
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0")
  }
  return `${digest.digest("hex")}\n`
}

const sourcesOf = (folder) => filesOf(folder).filter((file) => file.endsWith(".ts"))

const filesOf = (folder) => {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

const readOr = (path) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}
