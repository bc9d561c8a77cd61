// `npm start`: the main job, in this very process, so that signals and exit codes are its own.
import { orExit } from "./setup/orExit.mjs"

await orExit(async () => {
  const { ready } = await import("./setup/ready.mjs")
  await ready()
})
const { fileURLToPath } = await import("node:url")
const main = new URL("../dist/main.js", import.meta.url)
process.argv[1] = fileURLToPath(main)
await import(main.href)
