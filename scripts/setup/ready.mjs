// What `npm start`, `npm test` and `npm run check` do first: nothing, when everything is up to date.
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build, isBuilt } from "./build.mjs"
import { install, isInstalled } from "./install.mjs"
import { withLock } from "./lock.mjs"

export const projectRoot = fileURLToPath(new URL("../..", import.meta.url))

/** Installs and builds what is missing below `root`; one line per step on `stderr`, none if there is nothing to do. */
export const ready = (root = projectRoot) => bring(root, [installing, building])

/** The same for what only reads the sources. */
export const installed = (root = projectRoot) => bring(root, [installing])

const installing = { name: "installing packages", isDone: isInstalled, work: install }
const building = { name: "building", isDone: isBuilt, work: build }

const bring = async (root, steps) => {
  if (steps.every(({ isDone }) => isDone(root))) return
  const onWait = (owner) => say(`another start (process ${owner}) is installing or building, waiting for it…\n`)
  await withLock(join(root, "var", "setup.lock"), onWait, async () => {
    for (const { isDone, name, work } of steps) if (!isDone(root)) await timed(name, () => work(root))
  })
}

const say = (text) => process.stderr.write(text)

const timed = async (name, work) => {
  const began = performance.now()
  say(`${name}… `)
  try {
    await work()
  } catch (error) {
    say("failed\n")
    throw error
  }
  const took = (performance.now() - began) / 1_000
  say(`${took < 10 ? took.toFixed(1) : Math.round(took)} s\n`)
}
