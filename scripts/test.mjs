// `npm test`: vitest, with the arguments given.
import { orExit } from "./setup/orExit.mjs"

await orExit(async () => {
  const { projectRoot, ready } = await import("./setup/ready.mjs")
  await ready()
  const { join } = await import("node:path")
  const { runToEnd } = await import("./setup/runToEnd.mjs")
  await runToEnd(join(projectRoot, "node_modules", "vitest", "vitest.mjs"), ["run", ...process.argv.slice(2)])
})
