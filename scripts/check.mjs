// `npm run check`: everything that can be said about the sources without running them. All steps run, whatever fails.
import { orExit } from "./setup/orExit.mjs"

await orExit(async () => {
  const { installed, projectRoot } = await import("./setup/ready.mjs")
  const { spawnSync } = await import("node:child_process")
  const { existsSync } = await import("node:fs")
  const { join } = await import("node:path")
  await installed()

  const bin = (name) => join(projectRoot, "node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name)
  const script = (name) => [process.execPath, join(projectRoot, "scripts", name)]
  const steps = {
    types: [bin("tsc"), "-p", "."],
    effect: script("effect.mjs"),
    lint: [bin("oxlint"), "--deny-warnings"],
    format: [bin("oxfmt"), "--check"],
    arrows: script("arrows.mjs"),
    forks: script("forks.mjs"),
    lockfile: script("lockfile.mjs"),
    dependencies: script("dependencies.mjs")
  }
  const failed = Object.entries(steps).filter(([name, [command, ...args]]) => {
    if (!existsSync(command)) throw new Error(`${command} is not installed`)
    const began = performance.now()
    const shell = process.platform === "win32" && command.endsWith(".cmd")
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: projectRoot, encoding: "utf8", shell })
    const took = ((performance.now() - began) / 1_000).toFixed(1)
    console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${took} s)`)
    if (status !== 0) console.log(`${stdout}${stderr}`.trimEnd())
    return status !== 0
  })
  console.log(`check: ${Object.keys(steps).length - failed.length} passed, ${failed.length} failed`)
  process.exitCode = failed.length === 0 ? 0 : 1
})
